/** API tokens. */

import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schemas, unwrap } from "./client";

export type Token = Schemas["Token"];
export type NewToken = Schemas["NewToken"];
export type TokenFields = Schemas["TokenRequest"];
export type Scope = NonNullable<Token["scopes"]>[number];

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: () => unwrap(api.GET("/api/v1/tokens/")),
});

/** Create a token. Only this response contains its secret. */
export function useCreateToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: TokenFields): Promise<NewToken> => unwrap(api.POST("/api/v1/tokens/", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/api/v1/tokens/{id}/", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
}
