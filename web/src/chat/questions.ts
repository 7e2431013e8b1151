/** Questions that the server has not accepted yet: how the browser stores them, and how long they wait. */

import type { ApiError } from "../api/client";

export type Kind = "ask" | "edit" | "again";

/** A question, until the server has stored it. */
export type Question = {
  /** Its Idempotency-Key: the server stores a question with the same key once. */
  readonly key: string;
  readonly userId: string;
  /** Null: the question begins a new conversation. */
  readonly conversationId: string | null;
  /** "ask": at the end of the conversation. "edit": in the place of a question. "again": another answer. */
  readonly kind: Kind;
  /** The question that is edited, or the answer that is written again. */
  readonly messageId?: string;
  readonly content: string;
  readonly model?: string;
  readonly systemPrompt?: string;
  readonly createdAt: string;
};

export type Phase =
  | { readonly name: "sending" }
  /** `reason` is a sentence of the server, or empty if the connection is missing. */
  | { readonly name: "waiting"; readonly reason: string; readonly attempts: number; readonly isTrying: boolean }
  | { readonly name: "signed-out" }
  | { readonly name: "accepted"; readonly questionId: string; readonly answerId: string };

export type Pending = { readonly question: Question; readonly phase: Phase };

export function parseQuestion(text: string | null): Question | null {
  try {
    const value = JSON.parse(text ?? "null") as Question | null;
    return typeof value?.key === "string" && typeof value.content === "string" ? value : null;
  } catch {
    return null;
  }
}

/** Return where a question is sent, and the body of the request. */
export function requestOf(question: Question): { url: string; body: Record<string, unknown> } {
  const { conversationId, kind, messageId, content, model, systemPrompt } = question;
  const body = {
    stream: true,
    ...(kind !== "again" && { content }),
    ...(messageId && { message_id: messageId }),
    ...(model && { model }),
    ...(systemPrompt && { model_options: { system_prompt: systemPrompt } }),
  };
  return { url: conversationId ? `/api/v1/conversations/${conversationId}/reply/` : "/api/v1/chat/", body };
}

/** Return whether the same question can be accepted later. A gateway answers 502 or 504 while chatstore restarts. */
export function canWait(error: Pick<ApiError, "status" | "isTemporary">): boolean {
  return error.isTemporary || error.status === 502 || error.status === 504;
}

const LONGEST = 30; // seconds

/** Return the seconds until the next attempt. They double each time, up to LONGEST. `retryAfter` is the least. */
export function delayAfter(attempts: number, retryAfter: number): number {
  return Math.max(retryAfter, Math.min(LONGEST, 2 ** Math.min(attempts, 10) / 2));
}

/** Return the questions to send now. In each conversation, a question waits for those before it. */
export function nextInLine(pending: readonly Pending[]): Pending[] {
  const open = pending.filter(({ phase }) => phase.name !== "accepted");
  const isFirst = ({ question }: Pending, index: number) =>
    question.conversationId === null ||
    open.findIndex((other) => other.question.conversationId === question.conversationId) === index;
  return open
    .filter(isFirst)
    .filter(({ phase }) => phase.name === "sending" || (phase.name === "waiting" && phase.isTrying));
}

/** Return a key that no other question has. (crypto.randomUUID is missing on pages without HTTPS.) */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
