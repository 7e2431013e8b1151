import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";

const RETRIES = 3;

/** Return whether to repeat a request that only reads. Changes are not repeated. */
function shouldRetry(failures: number, error: Error): boolean {
  return failures < RETRIES && error instanceof ApiError && (error.isTemporary || error.status >= 500);
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: shouldRetry, staleTime: 10_000 /* milliseconds */ },
    mutations: { retry: false },
  },
});
