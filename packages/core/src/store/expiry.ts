import { BrowserSessions } from './browser-sessions.ts';
import { OAuthRecords } from './oauth-records.ts';
import type { Store } from './store.ts';

/** Deletes what nobody can use any more. To be called now and then. */
export async function deleteExpired(store: Store): Promise<void> {
  await new BrowserSessions(store).deleteExpired();
  await new OAuthRecords(store).deleteExpired();
}
