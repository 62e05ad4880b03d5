import { parseArgs } from 'node:util';

export const templates = ['minimal', 'full'] as const;
export type Template = (typeof templates)[number];

/** What was asked for on the command line. */
export interface Arguments {
  readonly folder: string | undefined;
  readonly template: Template | undefined;
  /** Ask nothing. */
  readonly yes: boolean;
  readonly json: boolean;
  readonly help: boolean;
  /** Packages to take from elsewhere, by name: a version, or a place as npm writes it. */
  readonly packages: Readonly<Record<string, string>>;
}

/** Thrown for a command line that cannot be understood; the message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Reads the command line. Throws `UsageError`. */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(argv);
  if (positionals.length > 1) throw new UsageError(`Name one folder, not ${positionals.length}.`);
  return {
    folder: positionals[0],
    template: templateOf(values.template),
    yes: values.yes,
    json: values.json,
    help: values.help,
    packages: packagesOf(values.package),
  };
}

export const helpText = `npx create-luna DIR [--yes] [--template minimal|full]

Writes a home for Luna: a folder that starts with "npm install" and "npm start".

  DIR                  the folder; it must be empty or not there yet
  --yes                ask nothing; DIR is "my-luna" and the template "minimal" where not given
  --template NAME      minimal: one small extension
                       full: also an extension with a database, and an MCP server for files
  --package NAME=SPEC  take a package from elsewhere: a version, or a place as npm writes it,
                       for example --package @luna/core=file:/path/luna-core.tgz (may be repeated)
  --json               print JSON
  --help               print this`;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        yes: { type: 'boolean', short: 'y', default: false },
        template: { type: 'string' },
        package: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function templateOf(name: string | undefined): Template | undefined {
  if (name === undefined) return undefined;
  const template = templates.find((candidate) => candidate === name);
  if (!template) throw new UsageError(`There is no template "${name}". There are: ${templates.join(', ')}.`);
  return template;
}

function packagesOf(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1 || at === entry.length - 1) throw new UsageError(`--package wants NAME=SPEC, not "${entry}".`);
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
