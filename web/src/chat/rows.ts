/** The rows of the thread, from top to bottom. */

import type { Message } from "../api/messages";
import type { Pending } from "./questions";

export type Row =
  | { readonly kind: "day"; readonly key: string; readonly day: string }
  | { readonly kind: "message"; readonly key: string; readonly message: Message }
  | { readonly kind: "pending"; readonly key: string; readonly pending: Pending };

/** Build the rows of a window of messages, with the questions that are not in it yet. */
export function buildRows(messages: readonly Message[], pending: readonly Pending[]): Row[] {
  const { shown, waiting } = merge(messages, pending);
  const rows: Row[] = [];
  let day = "";
  for (const message of shown) {
    const next = new Date(message.created_at).toDateString();
    if (next !== day) rows.push({ kind: "day", key: `day-${message.id}`, day: message.created_at });
    day = next;
    rows.push({ kind: "message", key: message.id, message });
  }
  return [...rows, ...waiting.map((item) => ({ kind: "pending" as const, key: item.question.key, pending: item }))];
}

/** Leave out the questions that the window has, and the messages that an edited question or a new answer replaces. */
function merge(messages: readonly Message[], pending: readonly Pending[]) {
  let shown = messages;
  const waiting: Pending[] = [];
  for (const item of pending) {
    const { question, phase } = item;
    if (phase.name === "accepted" && shown.some(({ id }) => id === phase.answerId)) continue;
    const place = question.messageId ? shown.findIndex(({ id }) => id === question.messageId) : -1;
    // A question without an answer stays; an edited question and an answer are replaced.
    const isKept = question.kind === "again" && shown[place]?.role === "user";
    if (place >= 0) shown = shown.slice(0, isKept ? place + 1 : place);
    waiting.push(item);
  }
  return { shown, waiting };
}

/** Return the reply under way at the end of a conversation: its id, or null. */
export function replyUnderWay(rows: readonly Row[]): string | null {
  for (const row of rows.toReversed()) {
    if (row.kind === "pending" && row.pending.phase.name === "accepted") return row.pending.phase.answerId;
    if (row.kind === "message" && row.message.status === "in_progress") return row.message.id;
    if (row.kind === "message" && row.message.role === "user") return null;
  }
  return null;
}
