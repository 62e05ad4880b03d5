import { type MasterConfig, writeFileDurably } from '../config/index.ts';
import { LunaError, messageOf } from '../errors/index.ts';
import {
  definitionDifferences,
  definitionDigest,
  definitionOf,
  type ReviewedTool,
  type Tool,
  type ToolSource,
} from '../tools/index.ts';
import { type Pin, type Pins, pinsText } from './pins-file.ts';
import type { PendingToolView } from './views.ts';

/** More names than these no server has; one that makes up ever new ones does not fill the disk. */
const maxPins = 10_000;

/** A change that somebody has looked at: the digest is the one of its view. */
export interface ApprovedTool {
  readonly tool: string;
  readonly digest: string;
}

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
  /** What servers list now, as far as it is sound. */
  readonly #listed = new Map<string, Listed>();
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
    const names = new Set(listed.map(({ name }) => name));
    if (source.kind === 'mcp') this.#listed.set(source.id, { source, names });
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

  /** What waits for a decision, and what was rejected and still is so; nothing of what its server no longer lists. */
  pending(): PendingToolView[] {
    return [...this.#servers].flatMap(([server, pins]) =>
      [...pins].flatMap(([tool, { definition, waiting }]) =>
        waiting === undefined || !this.#isListed(server, tool)
          ? []
          : [
              {
                server,
                tool,
                digest: definitionDigest(waiting.definition),
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

  /**
   * Agrees to changes of tools of a server, to all of them or, when one cannot be, to none. Throws `not_found` for a tool
   * that does not wait, `conflict` for one that says something else by now than what the digest stands for, and
   * `no_space` when the disk is full.
   */
  async approve(server: string, approved: readonly ApprovedTool[]): Promise<void> {
    const decisions = approved.map(({ tool, digest }) => {
      const pin = this.#waiting(server, tool);
      if (definitionDigest(pin.waiting.definition) !== digest)
        throw new LunaError(
          'conflict',
          `"${tool}" of the server "${server}" has changed since you looked at it. Look at it again, and then approve that.`,
        );
      return [tool, { definition: pin.waiting.definition }] as const;
    });
    await this.#decide(server, decisions);
  }

  /**
   * Keeps holding a tool back, or all that wait of the server, until its definition is another one once more or what it
   * was. Throws as {@link approve} does.
   */
  async reject(server: string, tool?: string): Promise<void> {
    const waiting = this.pending().filter((pending) => pending.server === server && !pending.isRejected);
    if (tool === undefined && waiting.length === 0)
      throw new LunaError('not_found', `Nothing of the server "${server}" waits for a decision.`);
    const decisions = (tool === undefined ? waiting.map((pending) => pending.tool) : [tool]).map((name) => {
      const pin = this.#waiting(server, name);
      return [name, { ...pin, waiting: { ...pin.waiting, rejected: true } }] as const;
    });
    await this.#decide(server, decisions);
  }

  /** Forgets servers that are not configured any more. */
  forgetOthers(configured: readonly string[]): void {
    const gone = [...this.#servers.keys()].filter((id) => !configured.includes(id));
    for (const id of gone) {
      this.#servers.delete(id);
      this.#listed.delete(id);
    }
    if (gone.length > 0) this.#write();
  }

  /** Settles when all is written. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  #reviewOne(pins: Map<string, Pin>, tool: Tool, approvesNew: boolean): ReviewedTool {
    const definition = definitionOf(tool);
    const pin = pins.get(tool.name);
    if (!pin && pins.size >= maxPins)
      return {
        tool,
        heldBack: `its server has named more than ${maxPins} tools by now. Remove the server and add it again.`,
      };
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

  #isListed(server: string, tool: string): boolean {
    const listed = this.#listed.get(server);
    // A server that has not answered yet lists nothing; what it changed before is still of interest.
    if (!listed || (listed.names.size === 0 && listed.source.health().status !== 'ready')) return true;
    return listed.names.has(tool);
  }

  #waiting(server: string, tool: string): Pin & Required<Pick<Pin, 'waiting'>> {
    const pin = this.#servers.get(server)?.get(tool);
    if (!pin?.waiting || !this.#isListed(server, tool))
      throw new LunaError('not_found', `No change of "${tool}" of the server "${server}" waits for a decision.`);
    return { ...pin, waiting: pin.waiting };
  }

  /** What cannot be written is not decided. */
  async #decide(server: string, decisions: readonly (readonly [tool: string, pin: Pin])[]): Promise<void> {
    const pins = this.#servers.get(server);
    if (!pins) return;
    const former = decisions.map(([tool, pin]) => [tool, pin, pins.get(tool)] as const);
    for (const [tool, pin] of decisions) pins.set(tool, pin);
    try {
      await this.#save();
    } catch (thrown) {
      for (const [tool, pin, before] of former) if (before && pins.get(tool) === pin) pins.set(tool, before);
      // What was written meanwhile for another reason may hold the decision.
      this.#write();
      throw thrown;
    } finally {
      this.#options.onDecided(server);
    }
  }

  #write(): void {
    this.#save().catch((thrown) => this.#options.onError(`What is pinned could not be written: ${messageOf(thrown)}`));
  }

  #save(): Promise<void> {
    this.#outstanding = false;
    const text = pinsText(this.#servers);
    const saved = this.#writing.then(() => writeFileDurably(this.#options.file, text));
    this.#writing = saved.catch(() => undefined);
    this.#options.onWaiting();
    return saved;
  }
}

interface Listed {
  readonly source: ToolSource;
  readonly names: ReadonlySet<string>;
}
