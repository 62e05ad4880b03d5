import { LunaError, messageOf } from '../errors/index.ts';
import type { ServiceContext } from './service-context.ts';

/**
 * Asks a service whether it is well: undefined, or what is wrong. One without a health check is well. Throws
 * `cancelled` alone.
 */
export async function whatIsWrong(context: ServiceContext, signal: AbortSignal): Promise<string | undefined> {
  const { health_check_expected: expected, health_timeout } = context.definition;
  try {
    const outcome = await context.outcomeOf('health_check', { signal, timeoutMs: health_timeout * 1000 });
    if (!outcome) return undefined;
    const { code } = outcome.exit;
    const output = outcome.output.trim();
    if (typeof expected === 'number') {
      if (code === expected || output === String(expected)) return undefined;
    } else if (code === 0 && (expected === undefined || output.includes(expected))) return undefined;
    const wanted = expected === undefined ? '' : `, not ${JSON.stringify(expected)}`;
    const said = context.log.redact(output).slice(0, 200);
    return `its health check ended with ${code ?? 'a signal'} and said ${JSON.stringify(said)}${wanted}`;
  } catch (thrown) {
    if (thrown instanceof LunaError && thrown.code === 'cancelled') throw thrown;
    return messageOf(thrown);
  }
}
