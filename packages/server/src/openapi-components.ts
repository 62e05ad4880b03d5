/** The schemas of an OpenAPI document, by name. */
export interface WithSchemas {
  readonly paths?: object;
  readonly components?: { readonly schemas?: object };
}

const prefix = '#/components/schemas/';
/** What the library appends to a schema that differs between what is sent and what is answered. */
const outputSuffix = 'Output';

/**
 * Keeps the named schemas that the paths lead to, and changes the document so that one which is only answered, never
 * sent, has its plain name.
 */
export function tidySchemas<Document extends WithSchemas>(document: Document): Document {
  const all: Record<string, unknown> = { ...document.components?.schemas };
  const reached = new Set<string>();
  const visit = (value: unknown) => {
    for (const name of namesIn(value)) {
      if (reached.has(name)) continue;
      reached.add(name);
      visit(all[name]);
    }
  };
  visit(document.paths);
  const plain = (name: string) => {
    const base = name.endsWith(outputSuffix) ? name.slice(0, -outputSuffix.length) : name;
    return base in all && !reached.has(base) ? base : name;
  };
  const schemas = Object.fromEntries([...reached].sort().map((name) => [plain(name), all[name]]));
  const kept = { ...document, components: { ...document.components, schemas } };
  return JSON.parse(JSON.stringify(kept), (key, value) =>
    key === '$ref' && typeof value === 'string' && value.startsWith(prefix)
      ? prefix + plain(value.slice(prefix.length))
      : value,
  );
}

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' && inner.startsWith(prefix)
      ? [inner.slice(prefix.length)]
      : namesIn(inner),
  );
}
