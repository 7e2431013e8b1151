/** Links to copies of conversations: those of the user, and what a reader of a link gets. */

import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, api, cursorOf, type Schemas, unwrap } from "./client";

export type Share = Schemas["Share"];
export type ShareFields = Schemas["NewShareRequest"];
export type SharedMessage = Schemas["SharedMessage"];

const ALL = ["shares"] as const;
const PAGE_SIZE = 50;

/** The links of a conversation, or of all conversations of the user, newest first. */
export function sharesQuery(conversationId?: string) {
  return infiniteQueryOptions({
    queryKey: [...ALL, conversationId ?? "all"],
    queryFn: ({ pageParam: cursor }) => {
      const query = cursor ? { cursor } : {};
      if (!conversationId) return unwrap(api.GET("/api/v1/shares/", { params: { query } }));
      return unwrap(api.GET("/api/v1/conversations/{id}/shares/", { params: { path: { id: conversationId }, query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => cursorOf(page.next),
  });
}

export function useCreateShare(conversationId: string) {
  const client = useQueryClient();
  const params = { path: { id: conversationId } };
  return useMutation({
    mutationFn: (body: ShareFields): Promise<Share> =>
      unwrap(api.POST("/api/v1/conversations/{id}/shares/", { params, body })),
    // The caller goes on at once. A promise would let it wait for the lists.
    onSuccess: () => void client.invalidateQueries({ queryKey: ALL }),
  });
}

/** Revoke a link. A link that is gone already counts as revoked. */
export function useRevokeShare() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => {
      try {
        await unwrap(api.DELETE("/api/v1/shares/{id}/", { params: { path: { id } } }));
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) throw error;
      }
    },
    // The caller goes on at once. A promise would let it wait for the lists.
    onSuccess: () => void client.invalidateQueries({ queryKey: ALL }),
  });
}

/** What a link shares, for its readers. Nobody has to be signed in, unless the share needs it (401). */
export function sharedQuery(token: string) {
  return queryOptions({
    queryKey: ["shared", token],
    queryFn: () => unwrap(api.GET("/api/v1/shared/{token}/", { params: { path: { token } } })),
  });
}

export function sharedMessagesQuery(token: string) {
  return infiniteQueryOptions({
    queryKey: ["shared", token, "messages"],
    queryFn: ({ pageParam: cursor }) => {
      const query = { limit: PAGE_SIZE, ...(cursor && { cursor }) };
      return unwrap(api.GET("/api/v1/shared/{token}/messages/", { params: { path: { token }, query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => cursorOf(page.next),
    staleTime: Number.POSITIVE_INFINITY, // a copy does not change
  });
}
