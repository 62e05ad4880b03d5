import { QueryClient } from '@tanstack/vue-query';
import { ApiError } from './client.ts';

/** What the pages show is kept until an event of the server says that it changed. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      retry: (failures, error) => error instanceof ApiError && error.status === 0 && failures < 30,
      retryDelay: 1_000,
    },
  },
});
