import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Looks again and again until the check no longer throws; throws its last error at the limit in milliseconds, which is
 * there for what never comes and not for what comes late on a busy machine.
 */
export async function eventually<Value>(check: () => Value | Promise<Value>, limitMs = 30_000): Promise<Value> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    try {
      return await check();
    } catch (thrown) {
      if (Date.now() > deadline) throw thrown;
      await sleep(20);
    }
  }
}
