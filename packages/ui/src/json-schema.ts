/** Reading of JSON Schemas, as far as a person is shown them. Whatever a tool sends in their place is borne. */

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A property's schema without its "or null": what may be left out is left out instead. */
export function plainOf(schema: unknown): Record<string, unknown> {
  if (!isObject(schema)) return {};
  const { type } = schema;
  const types = Array.isArray(type) ? type.filter((one) => one !== 'null') : [];
  if (types.length === 1) return { ...schema, type: types[0] };
  const [first, ...others] = variantsOf(schema).filter((variant) => !isObject(variant) || variant.type !== 'null');
  if (!isObject(first) || others.length > 0) return schema;
  const { anyOf, oneOf, ...rest } = schema;
  return { ...first, ...rest };
}

/** The values to choose from where there are only some, each told apart by its text; otherwise none. */
export function choicesOf(schema: Record<string, unknown>): unknown[] {
  const values = Array.isArray(schema.enum) ? schema.enum.filter((value) => value !== null) : constantsOf(schema);
  const legible = values.every((value) => ['string', 'number', 'boolean'].includes(typeof value) && value !== '');
  return legible && new Set(values.map(String)).size === values.length ? values : [];
}

/** What a value may be, in a few words: `string`, `list of number`, `"a" | "b"`, `object`. */
export function typeText(schema: unknown): string {
  if (!isObject(schema)) return 'anything';
  if (Array.isArray(schema.enum)) return listed(schema.enum.map((value) => JSON.stringify(value)));
  if ('const' in schema) return JSON.stringify(schema.const);
  const variants = variantsOf(schema);
  if (variants.length > 0) return listed(variants.map(typeText));
  if (typeof schema.$ref === 'string') return schema.$ref.split('/').at(-1) ?? 'anything';
  if (Array.isArray(schema.type)) return listed(schema.type.map(String));
  if (schema.type === 'array') return `list of ${typeText(schema.items)}`;
  return typeof schema.type === 'string' ? schema.type : 'anything';
}

function listed(texts: readonly string[]): string {
  return [...new Set(texts)].join(' | ');
}

function variantsOf({ anyOf, oneOf }: Record<string, unknown>): unknown[] {
  if (Array.isArray(anyOf)) return anyOf;
  return Array.isArray(oneOf) ? oneOf : [];
}

function constantsOf(schema: Record<string, unknown>): unknown[] {
  const variants = variantsOf(schema);
  const constants = variants.flatMap((variant) => (isObject(variant) && 'const' in variant ? [variant.const] : []));
  return constants.length === variants.length ? constants : [];
}
