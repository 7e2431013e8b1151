/** The user, the preferences, the models and the settings of the service. */

import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, api, cursorOf, type Schemas, toApiError, unwrap } from "./client";
import { setUser } from "./session";

export type Me = Schemas["Me"];
export type Model = Schemas["Model"];
export type Preferences = Schemas["Preferences"];
export type AuditEvent = Schemas["Audit"];
/** The settings of the operator that a client must know. */
export type Service = Schemas["Service"];

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async () => {
    const me = await unwrap(api.GET("/api/v1/me/"));
    setUser(me.id);
    return me;
  },
});
export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: () => unwrap(api.GET("/api/v1/models/")),
  staleTime: Number.POSITIVE_INFINITY,
});
export const preferencesQuery = queryOptions({
  queryKey: ["preferences"],
  queryFn: () => unwrap(api.GET("/api/v1/preferences/")),
});
export const serviceQuery = queryOptions({
  queryKey: ["service"],
  queryFn: () => unwrap(api.GET("/api/v1/service/")),
  staleTime: Number.POSITIVE_INFINITY,
});
export const auditQuery = infiniteQueryOptions({
  queryKey: ["audit"],
  queryFn: ({ pageParam: cursor }) =>
    unwrap(api.GET("/api/v1/me/audit/", { params: { query: cursor ? { cursor } : {} } })),
  initialPageParam: "",
  getNextPageParam: (page) => cursorOf(page.next),
});

/** Change some preferences. Show the new values at once, and the old ones again if the server refuses the change. */
export function useChangePreferences() {
  const client = useQueryClient();
  const { queryKey } = preferencesQuery;
  return useMutation({
    mutationFn: (body: Schemas["PatchedPreferencesRequest"]) => unwrap(api.PATCH("/api/v1/preferences/", { body })),
    onMutate: async (body) => {
      await client.cancelQueries({ queryKey });
      const before = client.getQueryData(queryKey);
      const created_at = before?.created_at ?? new Date().toISOString();
      if (before) client.setQueryData(queryKey, { ...before, ...(body as Partial<Preferences>), created_at });
      return before;
    },
    onError: (_error, _body, before) => client.setQueryData(queryKey, before),
    onSuccess: (stored, body) => {
      client.setQueryData(queryKey, stored);
      // The list of models marks the default model (`is_default`).
      if ("default_model" in body) void client.invalidateQueries({ queryKey: modelsQuery.queryKey });
    },
  });
}

/** Change the name or the picture of the user. */
export function useChangeMe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["PatchedMeRequest"]) => unwrap(api.PATCH("/api/v1/me/", { body })),
    onSuccess: (stored) => client.setQueryData(meQuery.queryKey, stored),
  });
}

/** Erase the account. Without a password, the user must have signed in within the last five minutes. */
export function eraseAccount(password: string): Promise<Schemas["Erased"]> {
  const body = (password ? { password } : {}) as never; // the schema describes no body of a DELETE
  return unwrap(api.DELETE("/api/v1/me/", { body }));
}

type AllauthError = { errors?: { code: string; message: string; param?: string }[] };

/**
 * Confirm the password with allauth's route. For the next five minutes, the session counts as a recent sign-in, which
 * the API requires to create a token. Throws ApiError.
 */
export async function confirmPassword(password: string): Promise<void> {
  const url = "/_allauth/browser/v1/auth/reauthenticate";
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ password }) }).catch(() => {
    throw new ApiError(0, "offline", "");
  });
  if (response.ok) return;
  const { errors } = (await response.json().catch(() => ({}))) as AllauthError;
  const error = errors?.[0];
  throw toApiError(response, { error: error && { ...error, field: error.param ?? null } });
}
