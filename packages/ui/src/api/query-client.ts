import { MutationCache, QueryCache, QueryClient } from '@tanstack/vue-query';
import { router } from '../router.ts';
import { ApiError } from './client.ts';

/** Whoever is not signed in any more goes to the sign-in page and comes back afterwards. */
function toSignIn(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 401) return;
  const { fullPath, path } = router.currentRoute.value;
  if (path !== '/sign-in') void router.replace({ path: '/sign-in', query: fullPath === '/' ? {} : { next: fullPath } });
}

/** What the pages show is kept until an event of the server says that it changed. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: toSignIn }),
  mutationCache: new MutationCache({ onError: toSignIn }),
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      retry: (failures, error) => error instanceof ApiError && error.status === 0 && failures < 30,
      retryDelay: 1_000,
    },
  },
});
