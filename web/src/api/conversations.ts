/** Conversations: lists, one conversation, and changes. A change is shown before the server has answered. */

import { infiniteQueryOptions, type Query, queryOptions } from "@tanstack/react-query";
import { ApiError, api, cursorOf, type Schemas, unwrap } from "./client";
import { refreshLabels } from "./labels";
import {
  type Conversation,
  type ConversationList,
  type ConversationPage,
  conversationsOf,
  drop,
  type Filters,
  mergeHead,
  place,
} from "./lists";
import { queryClient } from "./queryClient";

export type { Conversation, Filters } from "./lists";
export type ConversationChanges = Schemas["PatchedConversationRequest"];
export type BulkAction = Schemas["BulkActionEnum"];

const LISTS = ["conversations"] as const;
const PAGE_SIZE = 50;
const BULK_SIZE = 100; // ids in one request

/** The number of changes so far. A list that was requested before a change is out of date when it arrives. */
let version = 0;

export function listQuery(filters: Filters) {
  return infiniteQueryOptions({
    queryKey: [...LISTS, filters],
    queryFn: ({ pageParam: cursor }) => readPage(filters, cursor),
    initialPageParam: "",
    getNextPageParam: (page) => cursorOf(page.next),
    // `refreshLists` reads only the first page. TanStack Query would read all loaded pages, one after the other.
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false, // it compares by position, and conversations move
  });
}

export function conversationQuery(id: string) {
  return queryOptions({
    queryKey: ["conversation", id],
    queryFn: () => unwrap(api.GET("/api/v1/conversations/{id}/", { params: { path: { id } } })),
    refetchOnWindowFocus: "always", // another tab or device may have changed it
  });
}

/** Read the first page of each list again. Call this after a change that can move a conversation. */
export async function refreshLists(): Promise<void> {
  const queries = queryClient.getQueryCache().findAll({ queryKey: LISTS });
  await Promise.all(queries.map(({ queryKey }) => refreshList(queryKey as [string, Filters])));
}

/** Read all loaded pages of each list again. Call this when another tab or device may have changed any conversation. */
export async function rereadLists(): Promise<void> {
  await refreshLists(); // so that the top is up to date after one request
  const isLong = ({ state }: Query) => ((state.data as ConversationList | undefined)?.pages.length ?? 0) > 1;
  await queryClient.refetchQueries({ queryKey: LISTS, predicate: isLong }, { cancelRefetch: false });
}

async function refreshList(queryKey: [string, Filters]): Promise<void> {
  const filter = { queryKey, exact: true };
  if (queryClient.getQueryCache().find(filter)?.isActive() === false) return queryClient.removeQueries(filter);
  if (!queryClient.getQueryData(queryKey)) return queryClient.refetchQueries(filter);
  const before = version;
  const head = await readPage(queryKey[1], "").catch(() => null); // the list stays until the next refresh
  if (!head || before !== version) return;
  await queryClient.cancelQueries(filter); // a page that is still loading would be added to the old list
  queryClient.setQueryData<ConversationList>(queryKey, (list) => list && mergeHead(list, head));
}

function readPage(filters: Filters, cursor: string): Promise<ConversationPage> {
  const query = { ...filters, limit: PAGE_SIZE, ...(cursor && { cursor }) };
  return unwrap(api.GET("/api/v1/conversations/", { params: { query } }));
}

/** Change one conversation. Throws ApiError; the lists then show it as it was. */
export async function changeConversation(id: string, body: ConversationChanges): Promise<Conversation> {
  const before = findConversation(id);
  const request = () => unwrap(api.PATCH("/api/v1/conversations/{id}/", { params: { path: { id } }, body }));
  if (!before) return finish(await request());
  const after = { ...before, ...(body as Partial<Conversation>) };
  return finish(await showing([after], [before], request));
}

async function finish(stored: Conversation): Promise<Conversation> {
  queryClient.setQueryData(conversationQuery(stored.id).queryKey, stored);
  await show([stored]);
  return stored;
}

/** The result of an action: the conversations that it changed, and the error of the others, or undefined. */
export type Outcome = { changed: Conversation[]; error: unknown };

/** Apply an action to conversations. Show the result at once, and take back what the server refuses. Never throws. */
export async function changeConversations(before: Conversation[], action: BulkAction, tag = ""): Promise<Outcome> {
  const after = before.map((conversation) => ({ ...conversation, ...effect(conversation, action, tag) }));
  await show(after);
  const done = new Set<string>();
  const error = await requestAll(before, { action, ...(tag && { tag }) }, done);
  await show(before.filter(({ id }) => !done.has(id)));
  refreshAll();
  return { changed: after.filter(({ id }) => done.has(id)), error };
}

/** Send the action, for BULK_SIZE ids in each request. Add the changed ids to `done`. Return the first error, if any. */
async function requestAll(
  conversations: Conversation[],
  change: Omit<Schemas["BulkRequest"], "ids">,
  done: Set<string>,
): Promise<unknown> {
  let refused: Schemas["Refused"] | undefined;
  for (let start = 0; start < conversations.length; start += BULK_SIZE) {
    const ids = conversations.slice(start, start + BULK_SIZE).map(({ id }) => id);
    try {
      const outcome = await unwrap(api.POST("/api/v1/conversations/bulk/", { body: { ids, ...change } }));
      for (const id of outcome.results) done.add(id);
      refused ??= outcome.conflicts[0];
    } catch (error) {
      return error;
    }
  }
  return refused && new ApiError(409, refused.code, refused.message);
}

/** Return what an action changes in a conversation. */
export function effect(conversation: Conversation, action: BulkAction, tag: string): Partial<Conversation> {
  const { tags = [] } = conversation;
  switch (action) {
    case "trash":
      return { deleted_at: new Date().toISOString() };
    case "restore":
      return { deleted_at: null };
    case "archive":
    case "unarchive":
      return { is_archived: action === "archive" };
    case "pin":
    case "unpin":
      return { is_pinned: action === "pin" };
    case "add_tag":
      return { tags: tags.includes(tag) ? tags : [...tags, tag] };
    case "remove_tag":
      return { tags: tags.filter((name) => name !== tag) };
  }
}

/** Delete a conversation permanently. Throws ApiError, with the code `on_hold` if it must be kept. */
export async function deletePermanently(id: string): Promise<void> {
  const params = { path: { id }, query: { permanent: true } };
  await unwrap(api.DELETE("/api/v1/conversations/{id}/", { params }));
  version += 1;
  await updateLists((list) => drop(list, new Set([id])));
  queryClient.removeQueries({ queryKey: conversationQuery(id).queryKey });
}

/** Show `after` while the request runs, and `before` again if it fails. Throws the error of the request. */
async function showing<T>(after: Conversation[], before: Conversation[], request: () => Promise<T>): Promise<T> {
  await show(after);
  try {
    return await request();
  } catch (error) {
    await show(before);
    throw error;
  } finally {
    refreshAll();
  }
}

function refreshAll(): void {
  version += 1;
  void refreshLists();
  refreshLabels();
}

async function show(conversations: Conversation[]): Promise<void> {
  version += 1;
  await updateLists((list, filters) => place(list, filters, conversations));
  for (const conversation of conversations) {
    const { queryKey } = conversationQuery(conversation.id);
    queryClient.setQueryData(queryKey, (cached) => cached && conversation);
  }
}

async function updateLists(update: (list: ConversationList, filters: Filters) => ConversationList): Promise<void> {
  await queryClient.cancelQueries({ queryKey: LISTS });
  for (const [queryKey, list] of queryClient.getQueriesData<ConversationList>({ queryKey: LISTS })) {
    if (list) queryClient.setQueryData(queryKey, update(list, queryKey[1] as Filters));
  }
}

function findConversation(id: string): Conversation | undefined {
  const cached = queryClient.getQueryData(conversationQuery(id).queryKey);
  const lists = queryClient.getQueriesData<ConversationList>({ queryKey: LISTS });
  return cached ?? lists.flatMap(([, list]) => conversationsOf(list)).find((conversation) => conversation.id === id);
}
