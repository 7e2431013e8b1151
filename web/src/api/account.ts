/** The user, the preferences, the models and the settings of the service. */

import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schemas, unwrap } from "./client";

export type Me = Schemas["Me"];
export type Model = Schemas["Model"];
export type Preferences = Schemas["Preferences"];

export const meQuery = queryOptions({ queryKey: ["me"], queryFn: () => unwrap(api.GET("/api/v1/me/")) });
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

/** Change some preferences. The new values are shown at once. */
export function useChangePreferences() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["PatchedPreferencesRequest"]) => unwrap(api.PATCH("/api/v1/preferences/", { body })),
    onSuccess: (stored) => client.setQueryData(preferencesQuery.queryKey, stored),
  });
}
