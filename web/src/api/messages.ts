/** The messages of a conversation: a window of pages over its displayed branch, and changes. */

import { type InfiniteData, infiniteQueryOptions } from "@tanstack/react-query";
import { ApiError, api, cursorOf, type Schemas, unwrap } from "./client";
import { conversationQuery, refreshLists } from "./conversations";
import { queryClient } from "./queryClient";

export type Message = Schemas["Message"];
export type MessagePage = Schemas["MessagePage"];
/** Where a page begins: at the end of the conversation, around a message, or where another page ends. */
export type Place = { at: string } | { cursor: string };
export type Messages = InfiniteData<MessagePage, Place>;

export const END: Place = { at: "end" };
const PAGE_SIZE = 50;
const PAGES = 5; // the most pages in the window. A sixth page at one end drops a page at the other end.

export function messagesQuery(conversationId: string) {
  return infiniteQueryOptions({
    queryKey: ["messages", conversationId],
    queryFn: ({ pageParam }) => readPageOrEnd(conversationId, pageParam),
    initialPageParam: END,
    getNextPageParam: (page) => toPlace(page.next),
    getPreviousPageParam: (page) => toPlace(page.previous),
    maxPages: PAGES,
    // Another tab or device may have added messages.
    refetchOnWindowFocus: "always",
  });
}

function toPlace(url: string | null): Place | undefined {
  const cursor = cursorOf(url);
  return cursor ? { cursor } : undefined;
}

function readPage(id: string, place: Place, limit = PAGE_SIZE): Promise<MessagePage> {
  const params = { path: { id }, query: { ...place, limit } };
  return unwrap(api.GET("/api/v1/conversations/{id}/messages/", { params })) as Promise<MessagePage>;
}

/** Read a page. If `place` is a message that is not displayed any more, read the last page instead. */
async function readPageOrEnd(id: string, place: Place): Promise<MessagePage> {
  try {
    return await readPage(id, place);
  } catch (error) {
    if ("at" in place && place.at !== "end" && isNotDisplayed(error)) return readPage(id, END);
    throw error;
  }
}

function isNotDisplayed(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 404);
}

/**
 * Show the part of a conversation around a message. If the message is on another branch, display that branch, and
 * return the id of the last message of the branch that was displayed before; otherwise return null.
 * Throws ApiError (404) if the message does not exist.
 */
export async function openAt(conversationId: string, messageId: string): Promise<string | null> {
  try {
    await showFrom(conversationId, { at: messageId });
    return null;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  }
  const { results } = await readPage(conversationId, END, 1);
  await displayBranch(conversationId, messageId);
  return results[0]?.id ?? null;
}

/** Read a page, and replace the window by it. Throws ApiError. */
export async function showFrom(conversationId: string, place: Place): Promise<void> {
  const page = await readPage(conversationId, place);
  const { queryKey } = messagesQuery(conversationId);
  await queryClient.cancelQueries({ queryKey });
  queryClient.setQueryData<Messages>(queryKey, { pages: [page], pageParams: [place] });
}

/** Display the branch of a message, and show the part around the message. */
export async function displayBranch(conversationId: string, messageId: string): Promise<void> {
  const params = { path: { id: conversationId } };
  const body = { message_id: messageId };
  const stored = await unwrap(api.POST("/api/v1/conversations/{id}/branch/", { params, body }));
  queryClient.setQueryData(conversationQuery(conversationId).queryKey, stored);
  await showFrom(conversationId, { at: messageId });
  void refreshLists();
}

export function refreshMessages(conversationId: string): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: messagesQuery(conversationId).queryKey });
}

/** Replace a message in the window, if it is there. */
export function putMessage(message: Message): void {
  queryClient.setQueryData<Messages>(messagesQuery(message.conversation_id).queryKey, (window) =>
    window ? { ...window, pages: window.pages.map((page) => withMessage(page, message)) } : window,
  );
}

function withMessage(page: MessagePage, message: Message): MessagePage {
  if (!page.results.some(({ id }) => id === message.id)) return page;
  return { ...page, results: page.results.map((other) => (other.id === message.id ? message : other)) };
}

export function findMessage(conversationId: string, messageId: string): Message | undefined {
  const window = queryClient.getQueryData<Messages>(messagesQuery(conversationId).queryKey);
  return window?.pages.flatMap(({ results }) => results).find(({ id }) => id === messageId);
}

export async function trashMessage(message: Message): Promise<void> {
  await unwrap(api.DELETE("/api/v1/messages/{id}/", { params: { path: { id: message.id } } }));
  await refreshMessages(message.conversation_id);
}

export async function restoreMessage(message: Message): Promise<void> {
  await unwrap(api.POST("/api/v1/messages/{id}/restore/", { params: { path: { id: message.id } } }));
  await refreshMessages(message.conversation_id);
}

/** Ask the server to stop a reply. The reply ends within a second, and keeps its text. */
export async function stopReply(conversationId: string, messageId: string): Promise<void> {
  const params = { path: { id: conversationId } };
  await unwrap(api.POST("/api/v1/conversations/{id}/stop/", { params, body: { message_id: messageId } }));
}
