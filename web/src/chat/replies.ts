/**
 * The replies that this tab follows. They live outside of the components, so that reading continues while its row is
 * mounted again or its page changes.
 *
 * Hazards: the connection breaks, the server restarts, the session ends, pieces arrive faster than the screen draws, and
 * a browser has few connections. This module knows the number of the last event and continues after it. It updates
 * the row at most once a frame. It closes the connection of a reply that no component shows.
 */

import { useEffect, useSyncExternalStore } from "react";
import { ApiError, toApiError } from "../api/client";
import { conversationQuery, refreshLists } from "../api/conversations";
import { findMessage, type Message, putMessage, refreshMessages } from "../api/messages";
import { queryClient } from "../api/queryClient";
import { userHeader } from "../api/session";
import { applyEvent, messageOf, NOTHING, type Reply, type ReplyEvent, readEvents, type Start } from "./events";
import { signedInAgain } from "./signIn";
import { Alarm, onFrame, pause } from "./waiting";

type Followed = {
  readonly id: string;
  readonly conversationId: string;
  reply: Reply;
  isConnected: boolean;
  isRunning: boolean;
  watchers: number;
  readonly abort: AbortController;
};
export type Events = AsyncGenerator<ReplyEvent>;
/** A response that is being read. */
export type Stream = { readonly events: Events; readonly close: () => void };
/** The part of a reply that a row shows. */
export type View = { readonly reply: Reply; readonly isConnected: boolean };

const UNWATCHED = 2000; // milliseconds until the connection of a reply that no component shows is closed
const POLL = 3000; // milliseconds between two reads of a message that another program writes
const SILENCE = 45_000; // milliseconds until a connection counts as lost. The server sends a comment every 15 seconds
const followed = new Map<string, Followed>();
const views = new Map<string, View>();
const listeners = new Set<() => void>();
const endListeners = new Set<(message: Message) => void>();

/** Follow a reply while the component is mounted, and return its content so far. */
export function useReply(conversationId: string, messageId: string): View | undefined {
  useEffect(() => watch(conversationId, messageId), [conversationId, messageId]);
  return useSyncExternalStore(subscribe, () => views.get(messageId));
}

/** Call a function with each reply that ends. Return the function that stops this. */
export function onReplyEnd(listener: (message: Message) => void): () => void {
  endListeners.add(listener);
  return () => endListeners.delete(listener);
}

/** Follow a reply whose stream is open. `first` is the event that was read from it. */
export function begin(start: Start, first: ReplyEvent, stream: Stream): void {
  if (followed.has(start.message_id)) {
    stream.close();
    return;
  }
  const entry = add(start.conversation_id, start.message_id);
  entry.reply = applyEvent(NOTHING, first);
  void run(entry, stream);
  leaveIfUnwatched(entry);
}

function watch(conversationId: string, messageId: string): () => void {
  const entry = followed.get(messageId) ?? add(conversationId, messageId);
  if (!entry.isRunning && !entry.reply.end) void run(entry);
  entry.watchers += 1;
  return () => {
    entry.watchers -= 1;
    leaveIfUnwatched(entry);
  };
}

function add(conversationId: string, id: string): Followed {
  const abort = new AbortController();
  const entry = { id, conversationId, reply: NOTHING, isConnected: true, isRunning: false, watchers: 0, abort };
  followed.set(id, entry);
  publish(entry);
  return entry;
}

function leaveIfUnwatched(entry: Followed): void {
  setTimeout(() => {
    if (entry.watchers > 0) return;
    entry.abort.abort();
    if (followed.get(entry.id) !== entry) return;
    followed.delete(entry.id);
    views.delete(entry.id);
  }, UNWATCHED);
}

/** Read a reply until its end, however often the connection breaks. */
async function run(entry: Followed, stream?: Stream): Promise<void> {
  entry.isRunning = true;
  await readToEnd(entry, stream);
  entry.isRunning = false;
}

async function readToEnd(entry: Followed, stream?: Stream): Promise<void> {
  let source = stream;
  for (let failures = 0; !entry.abort.signal.aborted; failures += 1) {
    const before = entry.reply.last;
    let wait = 0;
    try {
      source ??= await connect(entry);
      setConnected(entry, true);
      if (await readAll(entry, source)) return;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return void refreshMessages(entry.conversationId);
      if (error instanceof ApiError && error.status === 401) await signedInAgain();
      if (error instanceof ApiError) wait = error.retryAfter * 1000;
    }
    source = undefined;
    if (entry.reply.last > before) failures = 0;
    setConnected(entry, false);
    // Milliseconds: 300, twice as many after each further failure, at most 15 s; or as many as the server asks for.
    await pause(Math.max(wait, Math.min(15_000, 300 * 2 ** failures)), entry.abort.signal);
  }
}

function connect({ id, conversationId, reply }: Followed): Promise<Stream> {
  return openStream(`/api/v1/conversations/${conversationId}/messages/${id}/stream/?after=${reply.last}`);
}

/** Send a request whose response is a stream of events. Throws ApiError. */
export async function openStream(url: string, init: RequestInit = {}): Promise<Stream> {
  const closing = new AbortController();
  const { signal } = closing;
  const close = () => closing.abort();
  // A browser that loses its network does not always notice that a connection is lost.
  window.addEventListener("offline", close, { signal });
  const silence = new Alarm(SILENCE, close);
  signal.addEventListener("abort", () => silence.stop());
  const headers = { ...(init.headers as Record<string, string>), ...userHeader() };
  const response = await fetch(url, { ...init, headers, signal }).catch(() => {
    close();
    throw new ApiError(0, "offline", "");
  });
  if (!response.ok || !response.body) {
    const error = toApiError(response, await response.json().catch(() => null));
    close();
    throw error;
  }
  return { events: readEvents(response.body, () => silence.restart()), close };
}

/** Read events until the connection ends. Return whether the reply has ended. */
async function readAll(entry: Followed, { events, close }: Stream): Promise<boolean> {
  entry.abort.signal.addEventListener("abort", close);
  try {
    return await takeAll(entry, events);
  } finally {
    close();
  }
}

async function takeAll(entry: Followed, events: Events): Promise<boolean> {
  for await (const event of events) {
    if (event.name === "closing") return false;
    if (event.name === "message") return takeWhole(entry, event.data as Message);
    entry.reply = applyEvent(entry.reply, event);
    if (entry.reply.end) return finish(entry);
    onFrame(entry.id, () => publish(entry));
  }
  return false;
}

/** Take the whole message, which the server sends if it has no events. Return whether the reply has ended. */
async function takeWhole(entry: Followed, message: Message): Promise<boolean> {
  putMessage(message);
  if (message.status !== "in_progress") return true;
  entry.reply = { ...NOTHING, text: message.content ?? "", reasoning: message.reasoning ?? "" };
  publish(entry);
  await pause(POLL, entry.abort.signal);
  return false;
}

function finish(entry: Followed): true {
  publish(entry);
  const stored = findMessage(entry.conversationId, entry.id);
  if (stored) putMessage(messageOf(stored, entry.reply));
  for (const listener of endListeners) listener(messageOf(stored ?? draftOf(entry), entry.reply));
  void refreshMessages(entry.conversationId);
  void queryClient.invalidateQueries({ queryKey: conversationQuery(entry.conversationId).queryKey });
  void refreshLists();
  return true;
}

/** Return a message for a reply that is not among the loaded messages yet. */
export function draftOf({ id, conversationId }: { id: string; conversationId: string }): Message {
  const now = new Date().toISOString();
  return {
    id,
    conversation_id: conversationId,
    seq: 0,
    parent_seq: null,
    is_active: true,
    role: "assistant",
    content: "",
    status: "in_progress",
    created_at: now,
    updated_at: now,
    deleted_at: null,
    reactions: [],
    sibling_ids: [],
  };
}

function setConnected(entry: Followed, isConnected: boolean): void {
  if (entry.isConnected === isConnected) return;
  entry.isConnected = isConnected;
  publish(entry);
}

function publish({ id, reply, isConnected }: Followed): void {
  if (!followed.has(id)) return;
  views.set(id, { reply, isConnected });
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
