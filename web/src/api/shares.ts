/** Shares: the links of the user, and the copies of conversations that the readers of a link see. */

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
    // Returns no promise, so the caller does not wait for the lists.
    onSuccess: () => void client.invalidateQueries({ queryKey: ALL }),
  });
}

/** Revoke a link. Succeeds also if the link does not exist any more (404). */
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
    // Returns no promise, so the caller does not wait for the lists.
    onSuccess: () => void client.invalidateQueries({ queryKey: ALL }),
  });
}

/** A shared conversation, for its readers. They need no session, unless the share requires a sign-in (401). */
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
