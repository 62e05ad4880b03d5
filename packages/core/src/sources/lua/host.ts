import { z } from 'zod';
import type { LuaState } from '../../store/index.ts';
import type { ToolArguments, ToolResult } from '../../tools/index.ts';
import type { LuaManifest } from './manifest.ts';
import { PermittedFiles } from './permitted-files.ts';
import { PermittedHttp } from './permitted-http.ts';

export interface LuaHostOptions {
  /** The name of the tool; its state is kept under it. */
  readonly tool: string;
  readonly home: string;
  readonly manifest: LuaManifest;
  readonly state: LuaState;
  /** Judges addresses when it dials. */
  readonly fetch: typeof fetch;
  readonly callTool: (name: string, args: ToolArguments, signal: AbortSignal) => Promise<ToolResult>;
  readonly signal: AbortSignal;
}

/** The most that a tool may keep, in characters. */
const maxStateSize = 10_000_000;
const text = z.string();
const key = z.string().min(1).max(256);

/** What a script may ask of the host: each thing is judged by the permissions of its tool when it is asked. */
export function luaHost(options: LuaHostOptions): (what: string, args: readonly unknown[]) => Promise<unknown> {
  const { tool, home, manifest, state, fetch, callTool, signal } = options;
  const { network, filesystem, tools } = manifest.permissions;
  const files = new PermittedFiles(home, filesystem);
  const http = new PermittedHttp({
    allowedHosts: network.allowed_hosts,
    maxResponseBytes: manifest.limits.max_response_bytes,
    fetch,
  });
  const assertRoom = async (size: number) => {
    if ((await state.size(tool)) + size > maxStateSize)
      throw new Error(`the state is longer than ${maxStateSize} characters`);
  };
  const functions: Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>> = {
    'http.get': (url, more) => http.request('GET', text.parse(url), more, signal),
    'http.post': (url, body, more) => http.request('POST', text.parse(url), { ...objectOf(more), body }, signal),
    'http.request': (given) => {
      const { method = 'GET', url } = z.looseObject({ method: text.optional(), url: text }).parse(given);
      return http.request(method, url, given, signal);
    },
    'fs.read': (path) => files.read(text.parse(path)),
    'fs.write': (path, content) => files.write(text.parse(path), text.parse(content)),
    'fs.list': (path) => files.list(text.parse(path)),
    'fs.exists': (path) => files.exists(text.parse(path)),
    'fs.delete': (path) => files.delete(text.parse(path)),
    'state.get': (name) => state.get(tool, key.parse(name)),
    'state.set': async (name, value) => {
      await assertRoom(JSON.stringify(value ?? null).length);
      if (value === undefined || value === null) await state.delete(tool, key.parse(name));
      else await state.set(tool, key.parse(name), value);
    },
    'state.delete': (name) => state.delete(tool, key.parse(name)),
    'state.keys': () => state.keys(tool),
    'state.incr': async (name, by) => {
      await assertRoom(key.parse(name).length);
      return state.increment(
        tool,
        key.parse(name),
        z
          .number()
          .default(1)
          .parse(by ?? undefined),
      );
    },
    'tools.call': async (name, args) => {
      const wanted = text.parse(name);
      if (!tools.includes(wanted))
        throw new Error(`this tool may not call ${wanted}: add it to permissions.tools in mcp_tool.json`);
      return answerOf(await callTool(wanted, objectOf(args), signal));
    },
  };
  return async (what, args) => {
    const one = Object.hasOwn(functions, what) ? functions[what] : undefined;
    if (!one) throw new Error(`there is no ${what}`);
    try {
      return (await one(...args)) ?? undefined;
    } catch (thrown) {
      if (thrown instanceof z.ZodError) throw new Error(`${what}: ${thrown.issues[0]?.message ?? 'wrong arguments'}`);
      throw thrown;
    }
  };
}

/** What a script gets of another tool's result: its structured content, or its text. A failure is an error. */
function answerOf({ content, structuredContent, isError }: ToolResult): unknown {
  const texts = content.flatMap((block) => (typeof block.text === 'string' ? [block.text] : []));
  if (isError === true) throw new Error(texts.join('\n') || 'the tool failed');
  return structuredContent ?? texts.join('\n');
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
