/** The files of a new extension, by their paths in its folder. */
export function scaffold(name: string, language: 'typescript' | 'python'): Record<string, string> {
  const tool = name.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'my';
  const manifest = {
    name,
    version: '0.1.0',
    description: 'What this extension is for.',
    required_secrets: [],
  };
  return {
    'config.json': `${JSON.stringify(manifest, null, 2)}\n`,
    ...(language === 'python'
      ? { [`tools/${tool}_tools.py`]: pythonTools(tool) }
      : { [`tools/${tool}_tools.ts`]: typescriptTools(tool) }),
  };
}

function typescriptTools(tool: string): string {
  return `import { defineTool } from '@luna/core/tools';
import { z } from 'zod';

export const TOOLS = [
  defineTool({
    name: '${tool}_greet',
    description: 'Greets somebody by name.',
    input: z.object({ name: z.string().describe('Whom to greet.') }),
    annotations: { readOnlyHint: true },
    examples: [{ prompt: 'Greet Ada.', args: { name: 'Ada' } }],
    handler: ({ name }) => \`Hello, \${name}!\`,
  }),
];
`;
}

function pythonTools(tool: string): string {
  return `def ${tool}_greet(name: str) -> str:
    """Greets somebody by name.

    Example Prompt: Greet Ada.

    Args:
        name: Whom to greet.
    """
    return f"Hello, {name}!"


TOOLS = [${tool}_greet]
`;
}
