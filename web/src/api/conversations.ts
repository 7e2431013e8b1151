/** Conversations: lists, one conversation, and changes. */

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, cursorOf, type Schemas, unwrap } from "./client";
import { queryClient } from "./queryClient";

export type Conversation = Schemas["Conversation"];
export type ConversationChanges = Schemas["PatchedConversationRequest"];
export type Filters = {
  pinned?: "true" | "false";
  archived?: "true" | "false" | "any";
  trashed?: "true";
  tag?: string;
  notebook?: string;
};

const LISTS = ["conversations"] as const;

export function listQuery(filters: Filters) {
  return infiniteQueryOptions({
    queryKey: [...LISTS, filters],
    queryFn: ({ pageParam: cursor }) =>
      unwrap(api.GET("/api/v1/conversations/", { params: { query: { ...filters, ...(cursor && { cursor }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => cursorOf(page.next),
  });
}

export function conversationQuery(id: string) {
  return queryOptions({
    queryKey: ["conversation", id],
    queryFn: () => unwrap(api.GET("/api/v1/conversations/{id}/", { params: { path: { id } } })),
  });
}

/** Read the lists again. Call this after a change that can move a conversation. */
export function refreshLists(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: LISTS });
}

export async function changeConversation(id: string, body: ConversationChanges): Promise<Conversation> {
  const stored = await unwrap(api.PATCH("/api/v1/conversations/{id}/", { params: { path: { id } }, body }));
  queryClient.setQueryData(conversationQuery(id).queryKey, stored);
  await refreshLists();
  return stored;
}
