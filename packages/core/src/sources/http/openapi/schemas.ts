import type { JsonSchema } from '../../../tools/index.ts';
import { isObject, type JsonObject, type OpenApiDocument, pointed, resolved } from './document.ts';

/** More schemas in one tool help nobody; references beyond become "anything". */
const maxDefinitions = 200;

/**
 * Schemas of an OpenAPI document as JSON Schema 2020-12. What a schema refers to is collected, once, under `$defs` of
 * the tool, so that circles stay what they are.
 */
export class SchemaCollector {
  readonly #document: OpenApiDocument;
  readonly #isOld: boolean;
  readonly #names = new Map<string, string>();
  readonly #definitions: JsonObject = {};

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#isOld = document.openapi.startsWith('3.0');
  }

  /** The definitions that the schemas so far refer to. */
  get definitions(): JsonObject | undefined {
    return this.#names.size > 0 ? this.#definitions : undefined;
  }

  /** The schema itself, where one is only referred to. */
  resolved(schema: unknown): unknown {
    return resolved(this.#document, schema);
  }

  /** A schema of the document, for something that is sent. */
  convert(schema: unknown): JsonSchema {
    return this.#convert(schema) as JsonSchema;
  }

  #convert(schema: unknown): unknown {
    if (typeof schema === 'boolean') return schema;
    if (!isObject(schema)) return {};
    if (typeof schema.$ref === 'string') return this.#reference(schema.$ref, schema);
    const out: JsonObject = {};
    for (const [word, value] of Object.entries(schema)) this.#word(word, value, schema, out);
    if (this.#isOld && schema.nullable === true) return nullable(out);
    return out;
  }

  #word(word: string, value: unknown, schema: JsonObject, out: JsonObject): void {
    switch (word) {
      case 'nullable':
      case 'discriminator':
      case 'xml':
      case 'externalDocs':
      case 'readOnly':
      case 'writeOnly':
      case '$schema':
      case '$id':
      case '$anchor':
        return;
      case 'example':
        out.examples = [value];
        return;
      case 'properties': {
        // What only a server may set is not asked for.
        const sent = Object.entries(isObject(value) ? value : {}).filter(([, one]) => !this.#isReadOnly(one));
        out.properties = Object.fromEntries(sent.map(([name, one]) => [name, this.#convert(one)]));
        return;
      }
      case 'required': {
        if (!Array.isArray(value)) return;
        const properties = isObject(schema.properties) ? schema.properties : {};
        const kept = value.filter((name) => typeof name === 'string' && !this.#isReadOnly(properties[name]));
        if (kept.length > 0) out.required = [...new Set(kept)];
        return;
      }
      case 'exclusiveMinimum':
      case 'exclusiveMaximum': {
        if (typeof value !== 'boolean') out[word] = value;
        else if (value) {
          const bound = word === 'exclusiveMinimum' ? 'minimum' : 'maximum';
          out[word] = schema[bound];
          delete out[bound];
        }
        return;
      }
      case 'minimum':
        if (schema.exclusiveMinimum !== true) out.minimum = value;
        return;
      case 'maximum':
        if (schema.exclusiveMaximum !== true) out.maximum = value;
        return;
      case 'allOf':
      case 'anyOf':
      case 'oneOf':
      case 'prefixItems':
        if (Array.isArray(value)) out[word] = value.map((one) => this.#convert(one));
        return;
      case 'items':
      case 'not':
      case 'additionalProperties':
      case 'contains':
      case 'propertyNames':
      case 'if':
      case 'then':
      case 'else':
      case 'unevaluatedProperties':
      case 'unevaluatedItems':
        out[word] = this.#convert(value);
        return;
      case 'patternProperties':
      case 'dependentSchemas':
        if (isObject(value))
          out[word] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#convert(one)]));
        return;
      case 'enum':
        // A list of values that fits nothing would be no legal schema.
        if (Array.isArray(value) && value.length > 0) out.enum = value;
        return;
      default:
        if (!word.startsWith('x-')) out[word] = value;
    }
  }

  #reference(reference: string, { description }: JsonObject): unknown {
    const words = typeof description === 'string' ? { description } : {};
    const known = this.#names.get(reference);
    if (known !== undefined) return { $ref: `#/$defs/${known}`, ...words };
    if (this.#names.size >= maxDefinitions) return words;
    const target = pointed(this.#document, reference);
    const name = this.#nameFor(reference);
    this.#names.set(reference, name);
    this.#definitions[name] = {};
    this.#definitions[name] = this.#convert(target);
    return { $ref: `#/$defs/${name}`, ...words };
  }

  #nameFor(reference: string): string {
    const last = decodeURIComponent(reference.split('/').at(-1) ?? '').replace(/[^A-Za-z0-9_.-]/g, '_') || 'schema';
    const taken = new Set(this.#names.values());
    for (let number = 1; ; number++) {
      const name = number === 1 ? last : `${last}_${number}`;
      if (!taken.has(name)) return name;
    }
  }

  #isReadOnly(schema: unknown): boolean {
    return isObject(schema) && schema.readOnly === true;
  }
}

/** The same, or null, as OpenAPI 3.0 says it with a word of its own. */
function nullable(schema: JsonObject): JsonObject {
  const { type, enum: values } = schema;
  if (typeof type !== 'string') return type === undefined ? schema : { anyOf: [schema, { type: 'null' }] };
  return {
    ...schema,
    type: [type, 'null'],
    ...(Array.isArray(values) && !values.includes(null) && { enum: [...values, null] }),
  };
}
