import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { LunaError } from '../errors/index.ts';
import { ownPlaceholders } from './placeholders.ts';

/** The form that a person fills in when they install a service, and what they filled in. */

const fieldTypes = ['text', 'password', 'number', 'checkbox', 'select', 'textarea', 'port'] as const;

/** Shorter secrets could not be told from other text, and so not be covered in logs. */
const shortestSecret = 8;
const longestValue = 10_000;

export const formFieldSchema = z
  .looseObject({
    name: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'use 1-64 letters, digits and "_", starting with a letter'),
    label: z.string().optional(),
    type: z.enum(fieldTypes).default('text'),
    default: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
    required: z.boolean().default(true).describe('Whether it must be filled in where there is no default.'),
    help: z.string().optional(),
    secret: z.boolean().optional().describe('Never shown again. Default: true for a password.'),
    generate: z.boolean().optional().describe('Makes a random value where a secret is left empty.'),
    plain: z.boolean().optional().describe('Only letters, digits, ".", "_", "~" and "-".'),
    min: z.number().optional(),
    max: z.number().optional(),
    options: z.array(z.union([z.string(), z.object({ value: z.string(), label: z.string().optional() })])).optional(),
  })
  .refine((field) => field.type !== 'select' || (field.options?.length ?? 0) > 0, {
    error: 'a select has "options"',
    path: ['options'],
  })
  .refine((field) => !ownPlaceholders.some((name) => name === field.name), {
    error: `${ownPlaceholders.join(', ')} stand for something else already; use another name`,
    path: ['name'],
  });

export type FormField = z.infer<typeof formFieldSchema>;
export type FormValue = string | number | boolean;
/** What was filled in, by the name of the field. */
export type FormValues = Readonly<Record<string, FormValue>>;

export function isSecret(field: FormField): boolean {
  return field.secret ?? field.type === 'password';
}

/**
 * What was filled in, completed by what was there before and by defaults. Throws `invalid_input`, naming the field, and
 * never the value of a secret.
 */
export function fillForm(fields: readonly FormField[], given: unknown, before: FormValues = {}): FormValues {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new LunaError('invalid_input', 'The settings of a service are an object: { "field": value }.');
  const entries = new Map<string, unknown>(Object.entries(given));
  for (const name of entries.keys()) {
    if (fields.some((field) => field.name === name)) continue;
    const names = fields.map((field) => `"${field.name}"`).join(', ');
    throw new LunaError(
      'invalid_input',
      `There is no setting ${JSON.stringify(name.slice(0, 80))}. ${names === '' ? 'This service has none.' : `There are: ${names}.`}`,
    );
  }
  const values: Record<string, FormValue> = {};
  for (const field of fields) {
    const former = Object.hasOwn(before, field.name) ? before[field.name] : undefined;
    const value = [entries.get(field.name), former, field.default, field.generate ? generated() : undefined].find(
      (candidate) => candidate !== undefined && candidate !== null && candidate !== '',
    );
    if (value !== undefined) values[field.name] = parseValue(field, value);
    else if (field.type === 'checkbox') values[field.name] = false;
    else if (field.required) throw wrong(field, 'it is needed');
  }
  return values;
}

/** The values as texts, for commands. A field that was left empty is an empty text. */
export function textsOf(fields: readonly FormField[], values: FormValues): Record<string, string> {
  return Object.fromEntries(fields.map(({ name }) => [name, Object.hasOwn(values, name) ? String(values[name]) : '']));
}

/** All texts by which secrets could show up somewhere. */
export function secretTexts(fields: readonly FormField[], values: FormValues): string[] {
  return fields.filter(isSecret).flatMap(({ name }) => {
    const value = Object.hasOwn(values, name) ? String(values[name]) : '';
    return [value, ...value.split('\n'), encodeURIComponent(value)];
  });
}

/** The values that are no secrets. */
export function openValues(fields: readonly FormField[], values: FormValues): Record<string, FormValue> {
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => fields.some((field) => field.name === name && !isSecret(field))),
  );
}

function parseValue(field: FormField, value: unknown): FormValue {
  if (field.type === 'number' || field.type === 'port') return parseNumber(field, value);
  if (field.type === 'checkbox') {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw wrong(field, 'give true or false');
  }
  if (typeof value !== 'string' && typeof value !== 'number') throw wrong(field, 'give a text');
  const text = String(value);
  if (text.length > longestValue) throw wrong(field, `it is longer than ${longestValue} characters`);
  if (text.includes('\0')) throw wrong(field, 'it holds a NUL character');
  if (field.type !== 'textarea' && /[\r\n]/.test(text)) throw wrong(field, 'it holds a line break');
  if (field.plain && !/^[A-Za-z0-9._~-]*$/.test(text))
    throw wrong(field, 'use only letters, digits, ".", "_", "~" and "-"');
  if (isSecret(field) && text.length < shortestSecret)
    throw wrong(field, `a secret has at least ${shortestSecret} characters`);
  const options = field.options?.map((option) => (typeof option === 'string' ? option : option.value));
  if (field.type === 'select' && !options?.includes(text))
    throw wrong(field, `choose one of ${options?.map((option) => `"${option}"`).join(', ')}`);
  return text;
}

function parseNumber(field: FormField, value: unknown): number {
  const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw wrong(field, 'give a number');
  const [min, max] = isPort(field) ? [field.min ?? 1, field.max ?? 65_535] : [field.min, field.max];
  if (isPort(field) && !Number.isInteger(number)) throw wrong(field, 'give a whole number');
  if (min !== undefined && number < min) throw wrong(field, `it is less than ${min}`);
  if (max !== undefined && number > max) throw wrong(field, `it is more than ${max}`);
  return number;
}

/** Definitions from before there was the type have ports as numbers. */
export function isPort(field: FormField): boolean {
  return field.type === 'port' || (field.type === 'number' && /^(?:.*_)?port$/i.test(field.name));
}

function generated(): string {
  return randomBytes(24).toString('base64url');
}

function wrong(field: FormField, what: string): LunaError {
  const label = field.label === undefined ? '' : ` (${field.label})`;
  return new LunaError('invalid_input', `The setting "${field.name}"${label} does not fit: ${what}.`, {
    details: { field: field.name },
  });
}
