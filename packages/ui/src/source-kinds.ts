const kinds: Readonly<Record<string, string>> = {
  extension: 'extension',
  lua: 'Lua tool',
  plugin: 'plugin',
  http: 'HTTP service',
  mcp: 'MCP server',
};

/** A kind of source as people read it; one that a program brought has its own name. */
export function kindText(kind: string): string {
  return kinds[kind] ?? kind;
}
