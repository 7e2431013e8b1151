/**
 * The outbox: questions until the server has stored them.
 *
 * Hazards: the connection is missing, the page is reloaded, two tabs send the same question, the session ends, another
 * person signs in. A question is stored in the browser before it is sent, with its Idempotency-Key, and removed when the
 * server has accepted it. One tab at a time sends a question (a Web Lock); where the browser has no locks, the key alone
 * prevents a second copy on the server. A question belongs to a user, and is sent for this user only.
 */

import { useMemo } from "react";
import { meQuery } from "../api/account";
import { ApiError } from "../api/client";
import { changeConversation, conversationQuery, refreshLists } from "../api/conversations";
import { findMessage, type Message, messagesQuery, refreshMessages } from "../api/messages";
import { queryClient } from "../api/queryClient";
import { t } from "../i18n";
import { Store, useStore } from "../store";
import { explain } from "../ui/explain";
import { showToast } from "../ui/toastState";
import { giveBack } from "./drafts";
import type { ReplyEvent, Start } from "./events";
import {
  canWait,
  delayAfter,
  newKey,
  nextInLine,
  type Pending,
  type Phase,
  parseQuestion,
  type Question,
  requestOf,
} from "./questions";
import { begin, openStream, type Stream } from "./replies";
import { continueSession, isSignedIn, signedInAgain } from "./signIn";
import { keysWith, onStored, readText, writeText } from "./storage";

const STORED = "outbox.";
const outbox = new Store<readonly Pending[]>([]);
const timers = new Map<string, ReturnType<typeof setTimeout>>();
const startListeners = new Set<(question: Question, conversationId: string) => void>();

/** Send a question, now or when it is possible. */
export function submit(draft: Omit<Question, "key" | "createdAt">): void {
  enqueue({ ...draft, key: newKey(), createdAt: new Date().toISOString() });
}

function enqueue(question: Question): void {
  writeText(STORED + question.key, JSON.stringify(question));
  put({ question, phase: { name: "sending" } });
  deliverNext();
}

/** Remove a question that waits. */
export function discard({ question }: Pending): void {
  forget(question.key);
  writeText(STORED + question.key, "");
  const undo = () => enqueue(question);
  if (question.kind !== "again") showToast(t("The message was discarded."), { label: t("Undo"), run: undo });
  deliverNext();
}

/** Send everything that waits. */
export function sendWaiting(): void {
  for (const { question } of outbox.get().filter(({ phase }) => phase.name === "waiting")) tryAgain(question);
}

/** Return the questions of a conversation that are not among its loaded messages yet. */
export function usePending(userId: string, conversationId: string | null): Pending[] {
  const all = useStore(outbox);
  return useMemo(
    () => all.filter(({ question }) => question.userId === userId && question.conversationId === conversationId),
    [all, userId, conversationId],
  );
}

/** Call a function when the server has accepted a question. Return the function that stops this. */
export function onAccepted(listener: (question: Question, conversationId: string) => void): () => void {
  startListeners.add(listener);
  return () => startListeners.delete(listener);
}

/** Send the stored questions now, and the rest when the connection is back. Return the function that stops this. */
export function startOutbox(): () => void {
  for (const key of keysWith(STORED)) load(key);
  deliverNext();
  const stop = onStored((key) => key.startsWith(STORED) && follow(key));
  const look = () => document.visibilityState === "visible" && resume();
  window.addEventListener("online", sendWaiting);
  document.addEventListener("visibilitychange", look);
  return () => {
    stop();
    window.removeEventListener("online", sendWaiting);
    document.removeEventListener("visibilitychange", look);
  };
}

function load(storedKey: string): void {
  const question = parseQuestion(readText(storedKey));
  if (question && !outbox.get().some((other) => other.question.key === question.key)) {
    put({ question, phase: { name: "sending" } });
  }
}

/** Follow a change of another tab: it has added a question, or it has sent or discarded one. */
function follow(storedKey: string): void {
  const known = outbox.get().find(({ question }) => STORED + question.key === storedKey);
  if (readText(storedKey)) {
    load(storedKey);
    // The other tab sends it. This tab waits for the lock, in case the other tab is closed first.
    deliverNext();
  } else if (known && known.phase.name !== "accepted") leaveToOtherTab(known.question);
}

function leaveToOtherTab(question: Question): void {
  forget(question.key);
  if (question.conversationId) void refreshMessages(question.conversationId);
  void refreshLists();
  deliverNext();
}

const underWay = new Set<string>();

function deliverNext(): void {
  const ready = nextInLine(outbox.get()).filter(({ question }) => !underWay.has(question.key));
  for (const { question } of ready) void deliver(question);
}

async function deliver(question: Question): Promise<void> {
  underWay.add(question.key);
  await locked(STORED + question.key, async () => {
    if (!phaseOf(question)) return; // discarded
    if (!readText(STORED + question.key)) return leaveToOtherTab(question);
    await attempt(question).catch((error: unknown) => fail(question, error));
  });
  underWay.delete(question.key);
  deliverNext();
}

function locked(name: string, run: () => Promise<void>): Promise<void> {
  const { locks } = navigator as { locks?: LockManager };
  return locks ? locks.request(`chatstore.${name}`, run).then(() => {}) : run();
}

/** Send a question once, and follow its reply. Throws ApiError. */
async function attempt(question: Question): Promise<void> {
  const me = await queryClient.fetchQuery({ ...meQuery, staleTime: Number.POSITIVE_INFINITY });
  if (me.id !== question.userId) return forget(question.key); // it stays in the browser until its user comes back
  const { url, body } = requestOf(question);
  const headers = { "Content-Type": "application/json", "Idempotency-Key": question.key };
  const stream = await openStream(url, { method: "POST", headers, body: JSON.stringify(body) });
  const first = await firstOf(stream);
  const start = first && startOf(first.name, first.data);
  if (!start) throw new ApiError(0, "offline", "");
  begin(start, first, stream);
  writeText(STORED + question.key, "");
  await accept(question, start);
}

/** Return the first event. Throws ApiError if the connection breaks before. */
async function firstOf({ events }: Stream): Promise<ReplyEvent | undefined> {
  const { value } = await events.next().catch(() => {
    throw new ApiError(0, "offline", "");
  });
  return value;
}

/** Return the start of a reply. If the question was sent before, the first event is `message`, with the whole answer. */
function startOf(name: string, data: unknown): Start | null {
  if (name === "start") return data as Start;
  if (name !== "message") return null;
  const { conversation_id, id, model, metadata } = data as Message;
  const question_id = (metadata as { answers?: string } | undefined)?.answers ?? "";
  return { conversation_id, question_id, message_id: id, model: model ?? "" };
}

async function accept(question: Question, start: Start): Promise<void> {
  const id = start.conversation_id;
  put({ question, phase: { name: "accepted", questionId: start.question_id, answerId: start.message_id } });
  if (!question.conversationId) await openNew(question, id);
  else void refreshMessages(id).then(() => settle(question.key, id, start.message_id));
  for (const listener of startListeners) listener(question, id);
  if (!question.conversationId) forget(question.key);
  void refreshLists();
}

/** Store the model and the system prompt in a new conversation, and read it, so that its page can be shown at once. */
async function openNew({ model, systemPrompt }: Question, id: string): Promise<void> {
  const changes = {
    ...(model && { model }),
    ...(systemPrompt && { model_options: { system_prompt: systemPrompt } }),
  };
  const opened = queryClient.prefetchInfiniteQuery(messagesQuery(id));
  if (Object.keys(changes).length) await changeConversation(id, changes).catch(() => {});
  else await queryClient.prefetchQuery(conversationQuery(id));
  await opened;
}

/** Forget a question that is among the loaded messages. If these were not read to the end, read them again first. */
async function settle(key: string, conversationId: string, answerId: string): Promise<void> {
  if (!findMessage(conversationId, answerId)) await refreshMessages(conversationId);
  forget(key);
}

/** Try a question again later, or give its text back if the server will never accept it. */
function fail(question: Question, error: unknown): void {
  if (error instanceof ApiError && error.status === 401) waitForSignIn(question);
  else if (error instanceof ApiError && canWait(error)) waitForServer(question, error);
  else giveUp(question, error);
}

function waitForServer(question: Question, error: ApiError): void {
  const before = phaseOf(question);
  if (!before) return; // the user has discarded it
  const attempts = (before.name === "waiting" ? before.attempts : 0) + 1;
  put({ question, phase: { name: "waiting", reason: error.message, attempts, isTrying: false } });
  const wait = delayAfter(attempts, error.retryAfter) * 1000;
  timers.set(
    question.key,
    setTimeout(() => tryAgain(question), wait),
  );
}

function waitForSignIn(question: Question): void {
  put({ question, phase: { name: "signed-out" } });
  void signedInAgain().then(() => tryAgain(question));
}

/** Ask the server whether the user has signed in again, in another tab. */
async function resume(): Promise<void> {
  sendWaiting();
  if (!outbox.get().some(({ phase }) => phase.name === "signed-out")) return;
  if (await isSignedIn()) continueSession();
}

/** Give the text back to the user, with the reason. */
function giveUp(question: Question, error: unknown): void {
  forget(question.key);
  writeText(STORED + question.key, "");
  if (question.kind === "again") showToast(explain(error));
  else giveBack(question, explain(error));
}

function tryAgain(question: Question): void {
  clearTimeout(timers.get(question.key));
  const phase = phaseOf(question);
  if (phase?.name === "waiting") put({ question, phase: { ...phase, isTrying: true } });
  if (phase?.name === "signed-out") put({ question, phase: { name: "sending" } });
  deliverNext();
}

function phaseOf({ key }: Question): Phase | undefined {
  return outbox.get().find(({ question }) => question.key === key)?.phase;
}

function put(item: Pending): void {
  const pending = outbox.get();
  const isKnown = pending.some(({ question }) => question.key === item.question.key);
  const replaced = pending.map((other) => (other.question.key === item.question.key ? item : other));
  outbox.set(isKnown ? replaced : [...pending, item].sort(byTime));
}

function byTime(one: Pending, other: Pending): number {
  return one.question.createdAt.localeCompare(other.question.createdAt);
}

function forget(key: string): void {
  clearTimeout(timers.get(key));
  outbox.set(outbox.get().filter(({ question }) => question.key !== key));
}
