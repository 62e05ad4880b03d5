import type { ConnectOptions } from './connect-options.ts';
import type { WireRequestOptions } from './pending-request.ts';
import type { Questions } from './questions.ts';
import type { UpstreamMessage } from './wire.ts';

/** Takes what the server sends of itself, for a request or for none; false leaves it to the SDK's client. */
export function hear(
  message: UpstreamMessage,
  request: WireRequestOptions | undefined,
  questions: Questions,
  { onLog, onNotification }: Pick<ConnectOptions, 'onLog' | 'onNotification'>,
): boolean {
  if (questions.take(message, request)) return true;
  const { id, method, params } = message;
  if (id !== undefined) return false;
  switch (method) {
    case 'notifications/message': {
      const client = questions.clientOf(request);
      if (client && (request || questions.isBusy)) client.tell(method, params);
      // It may be about a call of any of them: nobody hears what is not its own.
      else if (questions.isShared) onLog?.(`${method}: ${JSON.stringify(params).slice(0, 1_000)}`);
      else onNotification({ method, params, ...(client && { client }) });
      return true;
    }
    case 'notifications/resources/updated':
    case 'notifications/elicitation/complete':
      onNotification({ method, params });
      return true;
    default:
      return false;
  }
}
