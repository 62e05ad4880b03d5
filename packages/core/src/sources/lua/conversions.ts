import { type LuaFactory, LuaReturn, LuaThread, LuaType } from 'wasmoon';

/** How values cross between Lua and JavaScript. wasmoon's own way loses some of them, so each kind is looked after here. */

/** Levels of tables in arguments and results. */
const maxDepth = 200;
const tooDeep = `a table is nested deeper than ${maxDepth} levels`;
/** Whole numbers of Lua have 64 bits. */
const wholeLimit = 2 ** 63;

/** Stands for what has no JSON: a mistake of the script, which it hears of where the value is used. */
export class NoJson {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

type LuaModule = Awaited<ReturnType<LuaFactory['getLuaModule']>>;

/** What wasmoon's module has, and does not name. */
interface RawModule {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  _malloc(size: number): number;
  _free(at: number): void;
  _lua_tolstring(state: number, index: number, lengthAt: number): number;
  _luaL_tolstring(state: number, index: number, lengthAt: number): number;
  _lua_pushlstring(state: number, at: number, length: number): number;
}

/** Has all scripts of this thread convert values as this file says. To be called once. */
export function mendConversions(lua: LuaModule): void {
  carryWholeTexts(lua);
  const { pushValue, getValue } = LuaThread.prototype;
  let depth = 0;
  // wasmoon does not ask Lua for room on its stack: deep tables would overwrite the memory behind it.
  const guarded = <Value>(thread: LuaThread, convert: () => Value): Value => {
    if (thread.lua.lua_checkstack(thread.address, 40) === 0) throw new Error('not enough memory');
    depth++;
    try {
      return convert();
    } finally {
      depth--;
    }
  };
  LuaThread.prototype.pushValue = function (this: LuaThread, value: unknown, userdata?: unknown) {
    if (depth > maxDepth) throw new Error(tooDeep);
    guarded(this, () => {
      if (value === null) this.lua.lua_pushnil(this.address);
      else if (typeof value === 'number' && isBeyondWhole(value)) this.lua.lua_pushnumber(this.address, value);
      else pushValue.call(this, value, userdata);
    });
  };
  LuaThread.prototype.getValue = function (this: LuaThread, index: number, type?: LuaType, userdata?: unknown) {
    if (depth > maxDepth) return new NoJson(tooDeep);
    return guarded(this, () => {
      const kind = type ?? this.lua.lua_type(this.address, index);
      if (kind === LuaType.Table) return tableAt(this, index, userdata instanceof Tables ? userdata : new Tables());
      if (kind === LuaType.Number) return numberAt(this, index);
      return getValue.call(this, index, type, userdata);
    });
  };
}

/** Runs the script that was loaded last. What it throws becomes the message of an error: a table as JSON. */
export function callLoaded(thread: LuaThread, describe: (thrown: unknown) => string): unknown {
  const { lua, address } = thread;
  const base = thread.getTop() - 1;
  const status = lua.lua_pcallk(address, 0, -1, 0, 0, null);
  const isTable = status === LuaReturn.ErrorRun && lua.lua_type(address, -1) === LuaType.Table;
  if (isTable && lua.luaL_getmetafield(address, -1, '__tostring') === LuaType.Nil)
    throw new Error(describe(thread.getValue(-1)));
  if (isTable) thread.pop();
  thread.assertOk(status);
  return thread.getTop() > base ? thread.getValue(base + 1) : undefined;
}

/** Texts of Lua are bytes with a length, zeros among them. What is no UTF-8 becomes U+FFFD. */
function carryWholeTexts(lua: LuaModule): void {
  const raw = lua.module as unknown as RawModule;
  const lengthAt = raw._malloc(4);
  const read = (at: number) => {
    const length = raw.HEAPU32[lengthAt >> 2] ?? 0;
    return at === 0 ? '' : Buffer.from(raw.HEAPU8.buffer, at, length).toString('utf8');
  };
  lua.lua_tolstring = (state, index) => read(raw._lua_tolstring(state, index, lengthAt));
  lua.luaL_tolstring = (state, index) => read(raw._luaL_tolstring(state, index, lengthAt));
  const { lua_pushstring: pushPointer } = lua;
  lua.lua_pushstring = (state, text) => {
    if (typeof text !== 'string') return pushPointer(state, text);
    const bytes = Buffer.from(text, 'utf8');
    const at = raw._malloc(Math.max(1, bytes.length));
    if (at === 0) throw new Error('not enough memory');
    try {
      raw.HEAPU8.set(bytes, at);
      raw._lua_pushlstring(state, at, bytes.length);
    } finally {
      raw._free(at);
    }
    return text;
  };
}

/** A number; a whole one that JavaScript cannot tell from its neighbours as a bigint. */
function numberAt({ lua, address }: LuaThread, index: number): number | bigint {
  const number = lua.lua_tonumberx(address, index, null);
  const isExact = lua.lua_isinteger(address, index) === 0 || Number.isSafeInteger(number);
  return isExact ? number : lua.lua_tointegerx(address, index, null);
}

function isBeyondWhole(value: number): boolean {
  return Number.isInteger(value) && (value >= wholeLimit || value < -wholeLimit);
}

/** Tables of one conversion: those that are done, and those within which it is. */
class Tables {
  readonly done = new Map<number, unknown>();
  readonly open = new Set<number>();
}

/** A table with the keys 1, 2, … n, and no others, is an array, in whatever order Lua has them. */
function tableAt(thread: LuaThread, index: number, tables: Tables): unknown {
  const { lua, address } = thread;
  const at = lua.lua_absindex(address, index);
  const pointer = lua.lua_topointer(address, at);
  if (tables.open.has(pointer)) return new NoJson('a table holds itself');
  if (tables.done.has(pointer)) return tables.done.get(pointer);
  tables.open.add(pointer);
  const entries = new Map<unknown, unknown>();
  lua.lua_pushnil(address);
  while (lua.lua_next(address, at) !== 0) {
    const key = keyAt(thread, -2);
    entries.set(key, key instanceof NoJson ? key : thread.getValue(-1, undefined, tables));
    thread.pop();
  }
  tables.open.delete(pointer);
  const made = arrayOf(entries) ?? objectOf(entries);
  tables.done.set(pointer, made);
  return made;
}

function keyAt(thread: LuaThread, index: number): string | number | bigint | NoJson {
  const { lua, address } = thread;
  const kind = lua.lua_type(address, index);
  if (kind === LuaType.Number) return numberAt(thread, index);
  if (kind === LuaType.String) return lua.lua_tolstring(address, index, null);
  if (kind === LuaType.Boolean) return String(lua.lua_toboolean(address, index) !== 0);
  return new NoJson(`a ${lua.lua_typename(address, kind)} is the key of a table`);
}

/** Lua has the keys of one table in another order each time; the same table is to give the same text. */
function objectOf(entries: ReadonlyMap<unknown, unknown>): Record<string, unknown> {
  const named = [...entries].map(([key, value]) => [String(key), value] as const);
  const kept = named.filter(([key]) => key !== '__proto__');
  return Object.fromEntries(kept.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function arrayOf(entries: ReadonlyMap<unknown, unknown>): unknown[] | undefined {
  if (entries.size === 0) return undefined;
  const list: unknown[] = [];
  for (let index = 1; index <= entries.size; index++) {
    if (!entries.has(index)) return undefined;
    list.push(entries.get(index));
  }
  return list;
}
