/** Texts that the user has typed but not sent yet: a draft for each conversation, and one for a new conversation. */

import { useSyncExternalStore } from "react";
import type { Question } from "./questions";
import { onStored, readText, writeText } from "./storage";

export type Draft = {
  readonly text: string;
  /** For a new conversation only. An existing one has its own model and system prompt. */
  readonly model?: string;
  readonly systemPrompt?: string;
  /** Why the server refused the text. */
  readonly error?: string;
};

const EMPTY: Draft = { text: "" };
const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();

export function draftKey(userId: string, conversationId: string | null): string {
  return `draft.${userId}.${conversationId ?? "new"}`;
}

export function useDraft(key: string): Draft {
  return useSyncExternalStore(subscribe, () => readDraft(key));
}

export function readDraft(key: string): Draft {
  const known = drafts.get(key);
  if (known) return known;
  const draft = parse(readText(key));
  drafts.set(key, draft);
  return draft;
}

export function changeDraft(key: string, changes: Partial<Draft>): void {
  const draft = { ...readDraft(key), ...changes };
  drafts.set(key, draft);
  writeText(key, draft.text || draft.model || draft.systemPrompt ? JSON.stringify(draft) : "");
  for (const listener of listeners) listener();
}

/** Put the text of a refused question back into its composer, before the text that the user has typed since. */
export function giveBack(question: Question, error: string): void {
  const key = draftKey(question.userId, question.conversationId);
  const since = readDraft(key).text;
  const text = since ? `${question.content}\n\n${since}` : question.content;
  changeDraft(key, { text, error });
}

function parse(text: string | null): Draft {
  try {
    const value = JSON.parse(text ?? "null") as Draft | null;
    return typeof value?.text === "string" ? value : EMPTY;
  } catch {
    return EMPTY;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const stop = onStored((key, before) => clearSent(key, before));
  return () => {
    stop();
    listeners.delete(listener);
  };
}

/** Clear a draft that another tab has sent, so that it is not sent twice. A draft with another text stays. */
function clearSent(key: string, before: string | null): void {
  const sent = parse(before).text;
  if (!sent || drafts.get(key)?.text !== sent || parse(readText(key)).text) return;
  drafts.delete(key);
  for (const listener of listeners) listener();
}
