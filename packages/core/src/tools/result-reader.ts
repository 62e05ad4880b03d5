import { z } from 'zod';
import { LunaError } from '../errors/index.ts';
import { BuiltInSource } from './built-in-source.ts';
import type { SourceCall } from './call.ts';
import { type KeptResults, resultOwner, resultReaderName } from './kept-results.ts';
import { type ToolResult, textResult } from './result.ts';
import type { JsonSchema, Tool, ToolArguments } from './tool.ts';

const maxPlaces = 20;
const argumentsSchema = z.object({
  handle: z.string().min(1).max(64).describe('The handle that stands at the end of the cut result.'),
  offset: z.int().min(0).default(0).describe('The byte to begin with.'),
  length: z.int().min(1).max(262_144).default(65_536).describe('How many bytes to read.'),
  search: z.string().min(1).max(1_000).optional().describe('Find this text from the offset on, instead of reading.'),
});

/** Luna's own tool for reading results that were cut. */
export class ResultReader extends BuiltInSource {
  /** No other source can have this one. */
  override readonly id = 'luna:builtin';
  readonly #results: KeptResults;
  readonly #tools: readonly Tool[] = [
    {
      name: resultReaderName,
      title: 'Read the rest of a result',
      description: 'Reads on in a result of a tool that was cut because of its length, or finds a text in it.',
      inputSchema: z.toJSONSchema(argumentsSchema, { io: 'input' }) as JsonSchema,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
  ];

  constructor(results: KeptResults) {
    super();
    this.#results = results;
  }

  override list(): readonly Tool[] {
    return this.#tools;
  }

  override async call(_name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    const parsed = argumentsSchema.safeParse(args);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new LunaError('invalid_input', `The argument "${issue?.path.join('.')}" is not right: ${issue?.message}.`);
    }
    const { handle, offset, length, search } = parsed.data;
    const owner = resultOwner(call.caller);
    if (search !== undefined) {
      const places = await this.#results.search(owner, handle, search, offset, maxPlaces);
      return textResult(JSON.stringify({ found: places, mayBeMore: places.length === maxPlaces }, null, 1));
    }
    const { text, nextOffset, totalBytes } = await this.#results.read(owner, handle, offset, length);
    const where = nextOffset === undefined ? 'That is the end.' : `Read on with "offset":${nextOffset}.`;
    return {
      content: [
        { type: 'text', text },
        { type: 'text', text: `[${totalBytes} bytes in all. ${where}]` },
      ],
    };
  }
}
