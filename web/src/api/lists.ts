/** Lists of conversations as they are cached: which conversations a list contains, in which order, without duplicates. */

import type { InfiniteData } from "@tanstack/react-query";
import type { Schemas } from "./client";

export type Conversation = Schemas["Conversation"];
export type ConversationPage = Schemas["ConversationPage"];
export type ConversationList = InfiniteData<ConversationPage, unknown>;
export type Filters = {
  pinned?: "true" | "false";
  archived?: "true" | "false" | "any";
  trashed?: "true";
  tag?: string;
  notebook?: string;
};

/** Return the loaded conversations of a list. One that moved while the pages were read appears once, at the top. */
export function conversationsOf(list: ConversationList | undefined): Conversation[] {
  const seen = new Map<string, Conversation>();
  for (const conversation of allOf(list)) {
    if (!seen.has(conversation.id)) seen.set(conversation.id, conversation);
  }
  return [...seen.values()];
}

/** Return whether a list with these filters contains the conversation. The server has the same rules (filters.py). */
export function belongs(filters: Filters, conversation: Conversation): boolean {
  const isTrashed = conversation.deleted_at !== null;
  const archived = filters.archived ?? (filters.trashed ? "any" : "false");
  return (
    isTrashed === (filters.trashed === "true") &&
    (archived === "any" || String(conversation.is_archived ?? false) === archived) &&
    (!filters.pinned || String(conversation.is_pinned ?? false) === filters.pinned) &&
    (!filters.tag || (conversation.tags ?? []).includes(filters.tag)) &&
    (!filters.notebook || (conversation.notebooks ?? []).includes(filters.notebook))
  );
}

/** Put each conversation in its place in the list, or take it out if it does not belong there. */
export function place(list: ConversationList, filters: Filters, conversations: Conversation[]): ConversationList {
  const rest = drop(list, new Set(conversations.map(({ id }) => id)));
  return conversations.filter((conversation) => belongs(filters, conversation)).reduce(insert, rest);
}

/** Take the conversations with these ids out of the list. */
export function drop(list: ConversationList, ids: ReadonlySet<string>): ConversationList {
  const without = (page: ConversationPage) =>
    page.results.some(({ id }) => ids.has(id))
      ? { ...page, results: page.results.filter(({ id }) => !ids.has(id)) }
      : page;
  return { ...list, pages: list.pages.map(without) };
}

/**
 * Put a new first page on top of a list, so that a refresh costs one request however many pages are loaded.
 *
 * The pages below are kept only if the new page reaches them. Otherwise conversations in between would be missing.
 */
export function mergeHead(list: ConversationList, head: ConversationPage): ConversationList {
  const last = head.results.at(-1);
  const known = new Map(allOf(list).map((conversation) => [conversation.id, conversation]));
  // Keep the objects of unchanged conversations, so that React does not render their rows again.
  const results = head.results.map((fresh) => {
    const old = known.get(fresh.id);
    return old?.updated_at === fresh.updated_at ? old : fresh;
  });
  const isReached = head.results.some(({ id, active_at }) => known.get(id)?.active_at === active_at);
  const rest = last && head.next && isReached ? olderThan(list, last) : [];
  const pages = [{ ...head, results }, ...rest];
  return { pages, pageParams: pages.map(() => "") };
}

function olderThan(list: ConversationList, last: Conversation): ConversationPage[] {
  return list.pages
    .map((page) => ({ ...page, results: page.results.filter((conversation) => isNewer(last, conversation)) }))
    .filter((page) => page.results.length > 0);
}

function allOf(list: ConversationList | undefined): Conversation[] {
  return list?.pages.flatMap((page) => page.results) ?? [];
}

/** Insert the conversation before the first one that is older. If it would come after the loaded pages, leave it out. */
function insert(list: ConversationList, conversation: Conversation): ConversationList {
  const isOlder = (other: Conversation) => isNewer(conversation, other);
  const found = list.pages.findIndex((page) => page.results.some(isOlder));
  const isComplete = list.pages.at(-1)?.next === null;
  if (found < 0 && !isComplete) return list;
  const target = found < 0 ? list.pages.length - 1 : found;
  const pages = list.pages.map((page, index) => {
    if (index !== target) return page;
    const position = found < 0 ? page.results.length : page.results.findIndex(isOlder);
    return { ...page, results: page.results.toSpliced(position, 0, conversation) };
  });
  return { ...list, pages };
}

/** Compare in the order of the lists. All times have the same format, so their texts can be compared. */
function isNewer(one: Conversation, other: Conversation): boolean {
  return one.active_at === other.active_at ? one.id > other.id : one.active_at > other.active_at;
}
