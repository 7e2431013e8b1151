/** The HTTP client. Its types come from docs/openapi.yaml (`npm run types`). */

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { setSession, userHeader } from "./session";

export type Schemas = components["schemas"];

/** A response with a status of 400 or more, or no response at all (status 0), for example without a connection. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    /** Seconds to wait before the request is repeated; 0 if the server names none. */
    readonly retryAfter = 0,
  ) {
    super(message);
  }

  /** Whether the same request can succeed later. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

export const api = createClient<paths>({ baseUrl: window.location.origin });
api.use({
  onRequest: ({ request }) => {
    for (const [name, value] of Object.entries(userHeader())) request.headers.set(name, value);
  },
});

/** Return the body of a successful response. Throws ApiError for any other response. */
export async function unwrap<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await request.catch(() => {
    throw new ApiError(0, "offline", "");
  });
  if (!response.ok) throw toApiError(response, error);
  return data as T;
}

/** Build the error of a response. `body` is its parsed JSON, if it has any. A 401 also opens the sign-in dialog. */
export function toApiError(response: Response, body: unknown): ApiError {
  const { code, message, field } = readError(body);
  if (response.status === 401) setSession(code === "other_user" ? "of-other-user" : "ended");
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  return new ApiError(response.status, code, message, field, retryAfter);
}

function readError(body: unknown): { code: string; message: string; field: string | null } {
  const { error } = (typeof body === "object" && body ? body : {}) as Partial<Schemas["Error"]>;
  return { code: error?.code ?? "", message: error?.message ?? "", field: error?.field ?? null };
}

/** Return the `cursor` in a `next` or `previous` URL. */
export function cursorOf(url: string | null | undefined): string | undefined {
  return url ? (new URL(url, window.location.origin).searchParams.get("cursor") ?? undefined) : undefined;
}
