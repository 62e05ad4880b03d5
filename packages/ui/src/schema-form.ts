import { choicesOf, isObject, plainOf } from './json-schema.ts';

/** A form for a tool's arguments, made from its JSON Schema. */

export type FieldKind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';

export interface Choice {
  readonly label: string;
  readonly value: unknown;
}

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly required: boolean;
  readonly description: string;
  readonly choices: readonly Choice[];
  readonly initial: string | boolean;
}

/** What a person has put into the fields, by name. The value of a choice is its label. */
export type FieldValues = Record<string, string | boolean>;

/** One field per property; what a simple field cannot hold is a field for JSON. */
export function fieldsOf(schema: Record<string, unknown>): Field[] {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(properties).map(([name, raw]) => fieldOf(name, plainOf(raw), required.includes(name)));
}

function fieldOf(name: string, property: Record<string, unknown>, required: boolean): Field {
  // Null stands for "not given" here.
  const standard = property.default ?? undefined;
  // A switch is on or off; what may also be left open is chosen.
  const open = property.type === 'boolean' && !required && standard === undefined;
  const choices = (open ? [true, false] : choicesOf(property)).map((value) => ({ label: String(value), value }));
  const kind = choices.length > 0 ? 'choice' : kindOf(property);
  return {
    name,
    kind,
    required,
    description: typeof property.description === 'string' ? property.description : '',
    choices,
    initial: initialOf(kind, standard),
  };
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

function parse({ name, kind, choices }: Field, value: string | boolean): { value: unknown } | { wrong: string } {
  if (typeof value === 'boolean' || kind === 'text') return { value };
  if (kind === 'choice') {
    const choice = choices.find(({ label }) => label === value);
    return choice ? { value: choice.value } : { wrong: `“${name}” cannot be ${value}.` };
  }
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

function kindOf({ type }: Record<string, unknown>): FieldKind {
  if (type === 'string') return 'text';
  return type === 'number' || type === 'integer' || type === 'boolean' ? type : 'json';
}

function initialOf(kind: FieldKind, standard: unknown): string | boolean {
  if (kind === 'boolean') return standard === true;
  if (standard === undefined) return '';
  return kind === 'json' ? JSON.stringify(standard) : String(standard);
}
