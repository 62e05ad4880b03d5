/** A form for a tool's arguments, made from its JSON Schema. */

export type FieldKind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly required: boolean;
  readonly description: string;
  readonly choices: readonly string[];
  readonly initial: string | boolean;
}

/** What a person has put into the fields, by name. */
export type FieldValues = Record<string, string | boolean>;

/** One field per property; what a simple field cannot hold is a field for JSON. */
export function fieldsOf(schema: Record<string, unknown>): Field[] {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(properties).map(([name, raw]) => {
    const property = isObject(raw) ? raw : {};
    const kind = kindOf(property);
    return {
      name,
      kind,
      required: required.includes(name),
      description: typeof property.description === 'string' ? property.description : '',
      choices: kind === 'choice' && Array.isArray(property.enum) ? property.enum.map(String) : [],
      initial: initialOf(kind, property.default),
    };
  });
}

/** The values that the form begins with. */
export function initialValues(fields: readonly Field[]): FieldValues {
  return Object.fromEntries(fields.map(({ name, initial }) => [name, initial]));
}

/** The arguments that the values stand for, or what is wrong with one of them. Empty optional fields are left out. */
export function argumentsOf(
  fields: readonly Field[],
  values: FieldValues,
): { args: Record<string, unknown> } | { wrong: string } {
  const entries: [string, unknown][] = [];
  for (const field of fields) {
    const value = values[field.name] ?? '';
    if (value === '') {
      if (!field.required) continue;
      if (field.kind !== 'text') return { wrong: `“${field.name}” is missing.` };
    }
    const parsed = parse(field, value);
    if ('wrong' in parsed) return parsed;
    entries.push([field.name, parsed.value]);
  }
  return { args: Object.fromEntries(entries) };
}

function parse({ name, kind }: Field, value: string | boolean): { value: unknown } | { wrong: string } {
  if (typeof value === 'boolean' || kind === 'text' || kind === 'choice') return { value };
  if (kind === 'json') {
    try {
      return { value: JSON.parse(value) };
    } catch {
      return { wrong: `“${name}” is not valid JSON.` };
    }
  }
  const number = Number(value);
  if (Number.isNaN(number)) return { wrong: `“${name}” is not a number.` };
  if (kind === 'integer' && !Number.isInteger(number)) return { wrong: `“${name}” is not a whole number.` };
  return { value: number };
}

function kindOf({ type, enum: choices }: Record<string, unknown>): FieldKind {
  if (Array.isArray(choices) && choices.length > 0 && choices.every((choice) => typeof choice === 'string'))
    return 'choice';
  if (type === 'string') return 'text';
  if (type === 'number' || type === 'integer' || type === 'boolean') return type;
  return 'json';
}

function initialOf(kind: FieldKind, standard: unknown): string | boolean {
  if (kind === 'boolean') return standard === true;
  if (standard === undefined) return '';
  return kind === 'json' ? JSON.stringify(standard) : String(standard);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
