import { useToast } from '@nuxt/ui/composables';
import { ApiError } from './client.ts';
import { messageOf } from './message-of.ts';

/** Does something that may be refused; a refusal is shown, and told to the caller as undefined. */
export function useAct(): <Result>(work: () => Promise<Result>) => Promise<Result | undefined> {
  const toast = useToast();
  return async (work) => {
    try {
      return await work();
    } catch (thrown) {
      // Whoever is not signed in is on the way to the sign-in page, which says what to do.
      if (thrown instanceof ApiError && thrown.status === 401) return undefined;
      toast.add({
        title: 'That did not work',
        description: messageOf(thrown),
        color: 'error',
        icon: 'i-lucide-circle-alert',
      });
      return undefined;
    }
  };
}
