import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { repository, temporaryFolder } from './luna-process.ts';

/** A home of these files, by path within it. */
export async function homeOf(files: Readonly<Record<string, string>>): Promise<string> {
  const home = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) await put(home, path, text);
  return home;
}

/** Writes a file of a home, making its folder. At one go: whoever watches it finds it empty for no longer than with an editor. */
export async function put(home: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

/** A tool file with one tool that answers with a fixed text. */
export function fixedTool(name: string, answer: string): string {
  return `export const TOOLS = [{ name: '${name}', description: 'Answers.', handler: () => '${answer}' }];\n`;
}

/** Settings of a small MCP server over stdio that the tests bring. Its tools: `pid`, `wait`, `echo`. */
export const stdioServer = {
  command: process.execPath,
  args: [join(repository, 'test', 'integration', 'support', 'stdio-server.ts')],
};
