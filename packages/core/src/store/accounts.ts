import { LunaError } from '../errors/index.ts';
import { hashPassword, passwordMatches } from './passwords.ts';
import type { Store } from './store.ts';

/** Somebody who may sign in. */
export interface Account {
  /** `local`, or the provider and the number there: `github:583231`. Stable when the name changes. */
  readonly id: string;
  readonly name: string;
}

/** The account that a home always has: whoever holds a sign-in link is this one. */
export const localAccountId = 'local';

/** The people of a Luna. */
export class Accounts {
  readonly #db: Store['db'];

  constructor(store: Store) {
    this.#db = store.db;
  }

  async get(id: string): Promise<Account | undefined> {
    return this.#db.selectFrom('accounts').select(['id', 'name']).where('id', '=', id).executeTakeFirst();
  }

  /** Notes that somebody signed in, under the name that they have now. */
  async remember(account: Account): Promise<void> {
    await this.#db
      .insertInto('accounts')
      .values({ ...account, created_at: Date.now() })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ name: account.name }))
      .execute();
  }

  /** Whether the local account has a name and a password to sign in with. */
  async hasPassword(): Promise<boolean> {
    return (await this.#local())?.password != null;
  }

  /** The local account, if these are its name and password. The answer takes the same time for either mistake. */
  async byPassword(name: string, password: string): Promise<Account | undefined> {
    const local = await this.#local();
    const matches = await passwordMatches(password, local?.password ?? undefined);
    return matches && local?.name === name ? { id: localAccountId, name } : undefined;
  }

  /** Gives the local account its name and password. Throws `invalid_input` when they are too short or too long. */
  async setPassword(name: string, password: string): Promise<void> {
    if (!/^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u.test(name)) {
      throw new LunaError('invalid_input', 'The name must be 1 to 64 letters, digits, or . _ @ -');
    }
    if (password.length < 10 || password.length > 256) {
      throw new LunaError('invalid_input', 'The password must have 10 to 256 characters.');
    }
    const values = { name, password: await hashPassword(password) };
    await this.#db
      .insertInto('accounts')
      .values({ id: localAccountId, ...values, created_at: Date.now() })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute();
  }

  #local() {
    return this.#db
      .selectFrom('accounts')
      .select(['name', 'password'])
      .where('id', '=', localAccountId)
      .executeTakeFirst();
  }
}
