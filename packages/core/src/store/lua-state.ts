import { sql } from 'kysely';
import type { Store } from './store.ts';

/** What a Lua tool keeps between its calls, by key. Values are JSON. */
export class LuaState {
  readonly #db: Store['db'];

  constructor(store: Pick<Store, 'db'>) {
    this.#db = store.db;
  }

  async get(tool: string, key: string): Promise<unknown> {
    const row = await this.#row(tool, key);
    return row && JSON.parse(row.value);
  }

  async set(tool: string, key: string, value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    await this.#db
      .insertInto('lua_state')
      .values({ tool, key, value: text })
      .onConflict((conflict) => conflict.columns(['tool', 'key']).doUpdateSet({ value: text }))
      .execute();
  }

  async delete(tool: string, key: string): Promise<void> {
    await this.#db.deleteFrom('lua_state').where('tool', '=', tool).where('key', '=', key).execute();
  }

  /** The keys that are set, in order. */
  async keys(tool: string): Promise<string[]> {
    const rows = await this.#db.selectFrom('lua_state').select('key').where('tool', '=', tool).orderBy('key').execute();
    return rows.map((row) => row.key);
  }

  /** How much a tool keeps, in characters. */
  async size(tool: string): Promise<number> {
    const { size } = await this.#db
      .selectFrom('lua_state')
      .select(({ fn, eb }) =>
        fn.sum<number | string | null>(sql<number>`length(${eb.ref('key')}) + length(${eb.ref('value')})`).as('size'),
      )
      .where('tool', '=', tool)
      .executeTakeFirstOrThrow();
    return Number(size ?? 0);
  }

  /** Adds to a number, which is 0 when it is not there; returns the sum. Of calls at one time none is lost. */
  async increment(tool: string, key: string, by: number): Promise<number> {
    return this.#db.transaction().execute(async (db) => {
      const state = new LuaState({ db });
      const before = (await state.get(tool, key)) ?? 0;
      if (typeof before !== 'number') throw new TypeError(`"${key}" is not a number`);
      await state.set(tool, key, before + by);
      return before + by;
    });
  }

  #row(tool: string, key: string) {
    return this.#db
      .selectFrom('lua_state')
      .select('value')
      .where('tool', '=', tool)
      .where('key', '=', key)
      .executeTakeFirst();
  }
}
