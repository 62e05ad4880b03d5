import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { LunaError, messageOf } from '../../../errors/index.ts';

/** A longer document is none that anybody wrote, in bytes. */
const maxBytes = 64 * 1024 * 1024;
const fetchLimitMs = 30_000;

export type JsonObject = Record<string, unknown>;

/** As much of an OpenAPI document as is known before its parts are looked at. */
const documentSchema = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string().optional() }).optional(),
  servers: z.array(z.looseObject({ url: z.string() })).optional(),
  paths: z.record(z.string(), z.unknown()).default({}),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  components: z.looseObject({}).optional(),
});

export type OpenApiDocument = z.infer<typeof documentSchema>;

/**
 * Reads a document from an address, or from a path beside the file that names it. References to other files beside it
 * are taken in; none leads to another place. Throws `extension_invalid` and says what is wrong.
 */
export async function readDocument(
  where: string,
  from: string,
  dispatcher: Dispatcher,
): Promise<{ document: OpenApiDocument; address: URL | undefined }> {
  const address = /^https?:\/\//.test(where) ? new URL(where) : undefined;
  const file = resolve(dirname(from), where);
  const text = address
    ? await download(address, dispatcher)
    : await readFile(file, 'utf8').catch((thrown) => {
        throw invalid(where, messageOf(thrown));
      });
  let value: unknown;
  try {
    value = text.trimStart().startsWith('{')
      ? JSON.parse(text)
      : (await import('yaml')).parse(text, { maxAliasCount: 1_000 });
  } catch (thrown) {
    throw invalid(where, `it is neither JSON nor YAML: ${messageOf(thrown)}`);
  }
  if (!address && namesOtherFiles(value)) value = await bundled(file, where);
  if (isObject(value) && value.swagger !== undefined) {
    throw invalid(where, `it is Swagger ${String(value.swagger)}; Luna reads OpenAPI 3.0 and 3.1. Convert it first`);
  }
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(where, `${issue?.path.join('.')}: ${issue?.message}`);
  }
  if (!/^3\.[012](?:\.|$)/.test(parsed.data.openapi))
    throw invalid(where, `its version ${parsed.data.openapi} is not known`);
  return { document: parsed.data, address };
}

/** What a reference within the document leads to; what is no reference stays as it is. */
export function resolved(document: OpenApiDocument, value: unknown): unknown {
  let at = value;
  for (let hop = 0; isObject(at) && typeof at.$ref === 'string'; hop++) {
    if (hop === 20) throw new LunaError('extension_invalid', `The reference ${at.$ref} leads in a circle.`);
    at = pointed(document, at.$ref);
  }
  return at;
}

/** The value at a JSON Pointer of the document. Throws `extension_invalid` for one that leads nowhere or elsewhere. */
export function pointed(document: OpenApiDocument, reference: string): unknown {
  if (!reference.startsWith('#/'))
    throw new LunaError('extension_invalid', `The reference ${reference} leads out of the document.`);
  let at: unknown = document;
  for (const token of reference.slice(2).split('/')) {
    const key = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key))
      throw new LunaError('extension_invalid', `The reference ${reference} leads nowhere.`);
    at = (at as JsonObject)[key];
  }
  return at;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a reference leads to a file beside the document. */
function namesOtherFiles(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const reference = (value as JsonObject).$ref;
  if (typeof reference === 'string' && /^(?!#|[a-z]+:)[^#]+\.(?:ya?ml|json)(?:#|$)/i.test(reference)) return true;
  // Examples are data, whatever they look like.
  return Object.entries(value).some(
    ([key, inner]) => key !== 'example' && key !== 'examples' && namesOtherFiles(inner),
  );
}

async function bundled(file: string, where: string): Promise<unknown> {
  try {
    // Few documents are in several files: what puts them together is loaded when one is.
    const { $RefParser } = await import('@apidevtools/json-schema-ref-parser');
    // Files beside it are read, and nothing is fetched for it.
    return await $RefParser.bundle(file, { resolve: { http: false } });
  } catch (thrown) {
    throw invalid(where, messageOf(thrown));
  }
}

async function download(address: URL, dispatcher: Dispatcher): Promise<string> {
  try {
    const response = await request(address, {
      dispatcher,
      headers: { accept: 'application/json, application/yaml, */*' },
      signal: AbortSignal.timeout(fetchLimitMs),
    });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new Error(`HTTP ${response.statusCode}`);
    }
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (thrown) {
    throw invalid(address.href, messageOf(thrown));
  }
}

function invalid(where: string, why: string): LunaError {
  return new LunaError('extension_invalid', `The OpenAPI document ${where} cannot be used: ${why}.`);
}
