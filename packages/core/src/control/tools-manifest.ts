import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileDurably } from '../config/index.ts';
import { messageOf } from '../errors/index.ts';
import { McpSource } from '../sources/index.ts';
import type { ToolSource } from '../tools/index.ts';

/** A server may say anything; one odd tool does not keep the others out of the file. */
const optionalText = z.string().optional().catch(undefined);

const toolSchema = z.object({
  name: z.string(),
  title: optionalText,
  description: optionalText,
  inputSchema: z.unknown(),
  outputSchema: z.unknown().optional(),
  annotations: z.unknown().optional(),
});

const serverSchema = z.object({
  /** When these tools were seen first. */
  updatedAt: z.string(),
  title: z.string().optional(),
  protocolVersion: z.string().optional(),
  tools: z.array(toolSchema),
});

const manifestSchema = z.object({ version: z.literal(1), servers: z.record(z.string(), serverSchema) });

type ManifestServer = z.infer<typeof serverSchema>;

export interface ToolsManifestOptions {
  readonly file: string;
  /** The sources that run. */
  readonly sources: () => readonly ToolSource[];
  /** The servers that are configured; what is known of others is dropped. */
  readonly configured: () => readonly string[];
  readonly onError: (message: string) => void;
}

/** Changes come in bursts, as when Luna starts; they are written together after this time, in milliseconds. */
const gatherMs = 100;

/**
 * `remote_mcp_tools_manifest.json`: the tools of each MCP server as they were seen last, for people and programs to
 * read. A server that is down keeps its entry.
 */
export class ToolsManifest {
  readonly #options: ToolsManifestOptions;
  #known: Record<string, ManifestServer> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ToolsManifestOptions) {
    this.#options = options;
  }

  /** Notes that something may have changed. */
  changed(): void {
    this.#timer ??= setTimeout(() => this.#write(), gatherMs);
  }

  /** Writes what is outstanding. Call before the sources end. */
  async close(): Promise<void> {
    if (this.#timer) this.#write();
    await this.#work;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#work = this.#work.then(() => this.#writeNow()).catch((thrown) => this.#options.onError(messageOf(thrown)));
  }

  async #writeNow(): Promise<void> {
    const { file, sources, configured } = this.#options;
    this.#known ??= await readManifest(file);
    const running = new Map(sources().flatMap((source) => (source instanceof McpSource ? [[source.id, source]] : [])));
    const servers: Record<string, ManifestServer> = {};
    for (const id of configured()) {
      const source = running.get(id);
      const entry = source?.agreement ? entryOf(source, this.#known[id]) : this.#known[id];
      if (entry) servers[id] = entry;
    }
    if (JSON.stringify(servers) === JSON.stringify(this.#known)) return;
    this.#known = servers;
    await writeFileDurably(file, `${JSON.stringify({ version: 1, servers }, null, 2)}\n`);
  }
}

/** The former entry where nothing changed, so that its time stays. */
function entryOf(source: McpSource, former: ManifestServer | undefined): ManifestServer {
  const seen = serverSchema.parse({
    updatedAt: former?.updatedAt ?? '',
    title: source.title,
    protocolVersion: source.agreement?.protocolVersion,
    tools: source.list(),
  });
  const entry: ManifestServer = JSON.parse(JSON.stringify(seen));
  return former && JSON.stringify(entry) === JSON.stringify(former)
    ? former
    : { ...entry, updatedAt: new Date().toISOString() };
}

/** What was written last; nothing where it cannot be read, since it is made anew. */
async function readManifest(file: string): Promise<Record<string, ManifestServer>> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(file, 'utf8'))).servers;
  } catch {
    return {};
  }
}
