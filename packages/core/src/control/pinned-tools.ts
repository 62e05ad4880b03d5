import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type MasterConfig, writeFileDurably } from '../config/index.ts';
import { LunaError, messageOf, systemCodeOf } from '../errors/index.ts';
import {
  definitionDifferences,
  definitionDigest,
  definitionOf,
  type ReviewedTool,
  type StatedDefinition,
  type Tool,
  type ToolSource,
} from '../tools/index.ts';
import type { PendingToolView } from './views.ts';

const definitionSchema = z.custom<StatedDefinition>((value) => typeof value === 'object' && value !== null);

const pinSchema = z.object({
  /** What was agreed to. None: the tool came later, and nobody has agreed yet. */
  definition: definitionSchema.optional(),
  /** What the server says instead, and since when. */
  waiting: z.object({ definition: definitionSchema, since: z.number(), rejected: z.boolean().optional() }).optional(),
});

const fileSchema = z.object({
  version: z.literal(1),
  servers: z.record(z.string(), z.record(z.string(), pinSchema)),
});

type Pin = z.infer<typeof pinSchema>;
/** By server and tool. */
export type Pins = Map<string, Map<string, Pin>>;

export interface PinnedToolsOptions {
  readonly file: string;
  readonly config: () => MasterConfig;
  /** After the decision on tools of a server has changed. */
  readonly onDecided: (server: string) => void;
  /** After something began to wait for a decision, or no longer waits. */
  readonly onWaiting: () => void;
  readonly onError: (message: string) => void;
}

/**
 * The definitions of tools of MCP servers, as they were seen first or approved since. A tool whose definition became
 * another one is held back until somebody approves: what a model is told to do can change with it.
 */
export class PinnedTools {
  readonly #options: PinnedToolsOptions;
  readonly #servers: Pins;
  #writing: Promise<void> = Promise.resolve();
  #outstanding = false;

  /** `servers`: what {@link readPins} found. */
  constructor(options: PinnedToolsOptions, servers: Pins) {
    this.#options = options;
    this.#servers = servers;
  }

  /** Compares what a server lists with what is pinned. For `ToolRegistry`. */
  readonly review = (source: ToolSource, listed: readonly Tool[]): readonly ReviewedTool[] => {
    const settings = this.#options.config().remote_mcp_servers[source.id];
    if (source.kind !== 'mcp' || settings?.pin_definitions === false || listed.length === 0)
      return listed.map((tool) => ({ tool }));
    const known = this.#servers.get(source.id);
    const pins = known ?? new Map<string, Pin>();
    this.#servers.set(source.id, pins);
    const approvesNew = known === undefined || settings?.hold_new_tools !== true;
    const reviewed = listed.map((tool) => this.#reviewOne(pins, tool, approvesNew));
    if (this.#outstanding) this.#write();
    return reviewed;
  };

  /** What waits for a decision, and what was rejected and still is so. */
  pending(): PendingToolView[] {
    return [...this.#servers].flatMap(([server, pins]) =>
      [...pins].flatMap(([tool, { definition, waiting }]) =>
        waiting === undefined
          ? []
          : [
              {
                server,
                tool,
                since: waiting.since,
                isNew: definition === undefined,
                isRejected: waiting.rejected === true,
                before: definition && { ...definition },
                after: { ...waiting.definition },
                differences: definitionDifferences(definition ?? {}, waiting.definition),
              },
            ],
      ),
    );
  }

  /** Agrees to what waits: of one tool, or of all tools of a server but rejected ones. Throws `not_found` for nothing. */
  async approve(server: string, tool?: string): Promise<void> {
    await this.#decide(server, tool, (pin) => ({ definition: pin.waiting?.definition ?? pin.definition }));
  }

  /** Keeps holding a tool back, until its definition is another one once more or what it was. */
  async reject(server: string, tool?: string): Promise<void> {
    await this.#decide(server, tool, (pin) => ({
      definition: pin.definition,
      waiting: pin.waiting && { ...pin.waiting, rejected: true },
    }));
  }

  /** Forgets servers that are not configured any more. */
  forgetOthers(configured: readonly string[]): void {
    const gone = [...this.#servers.keys()].filter((id) => !configured.includes(id));
    for (const id of gone) this.#servers.delete(id);
    if (gone.length > 0) this.#write();
  }

  /** Settles when all is written. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  #reviewOne(pins: Map<string, Pin>, tool: Tool, approvesNew: boolean): ReviewedTool {
    const definition = definitionOf(tool);
    const pin = pins.get(tool.name);
    if (!pin && approvesNew) {
      this.#pin(pins, tool.name, { definition });
      return { tool };
    }
    const digest = definitionDigest(definition);
    if (pin?.definition && definitionDigest(pin.definition) === digest) {
      if (pin.waiting) this.#pin(pins, tool.name, { definition: pin.definition });
      return { tool };
    }
    if (!pin?.waiting || definitionDigest(pin.waiting.definition) !== digest)
      this.#pin(pins, tool.name, { definition: pin?.definition, waiting: { definition, since: Date.now() } });
    const what = pin?.definition ? 'its description or schema has changed' : 'it is new at its server';
    return {
      tool,
      heldBack: `${what}, and an administrator has to approve that: on the Sources page, or with "npx luna approve".`,
    };
  }

  #pin(pins: Map<string, Pin>, name: string, pin: Pin): void {
    pins.set(name, pin);
    this.#outstanding = true;
  }

  async #decide(server: string, tool: string | undefined, decide: (pin: Pin) => Pin): Promise<void> {
    const pins = this.#servers.get(server);
    const chosen = [...(pins ?? [])].filter(
      ([name, { waiting }]) => waiting && (tool === undefined ? waiting.rejected !== true : name === tool),
    );
    if (!pins || chosen.length === 0) {
      const what = tool === undefined ? 'Nothing' : `No change of "${tool}"`;
      throw new LunaError('not_found', `${what} of the server "${server}" waits for a decision.`);
    }
    for (const [name, pin] of chosen) pins.set(name, decide(pin));
    this.#write();
    await this.#writing;
    this.#options.onDecided(server);
  }

  #write(): void {
    this.#outstanding = false;
    const servers = Object.fromEntries([...this.#servers].map(([id, pins]) => [id, Object.fromEntries(pins)]));
    const text = `${JSON.stringify({ version: 1, servers }, null, 1)}\n`;
    this.#writing = this.#writing
      .then(() => writeFileDurably(this.#options.file, text))
      .catch((thrown) => this.#options.onError(`What is pinned could not be written: ${messageOf(thrown)}`));
    this.#options.onWaiting();
  }
}

/** Reads what is pinned. Throws `config_invalid` for a file that is broken: to begin anew would approve everything. */
export async function readPins(file: string): Promise<Pins> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return new Map();
    throw thrown;
  }
  try {
    const { servers } = fileSchema.parse(JSON.parse(text));
    return new Map(Object.entries(servers).map(([id, tools]) => [id, new Map(Object.entries(tools))]));
  } catch (thrown) {
    throw new LunaError(
      'config_invalid',
      `${file} is broken: ${messageOf(thrown)}. Restore it, or delete it to agree to all tools as they are now.`,
      { cause: thrown },
    );
  }
}
