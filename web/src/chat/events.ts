/** The server-sent events of a reply (docs/replies.md), and the reply that they build. */

import { type EventSourceMessage, EventSourceParserStream } from "eventsource-parser/stream";
import type { Message } from "../api/messages";

export type Start = { conversation_id: string; question_id: string; message_id: string; model: string };
export type End = {
  status: "completed" | "incomplete" | "failed" | "stopped";
  finish_reason: string | null;
  error: { code: string; message: string } | null;
  usage: { prompt_tokens: number; completion_tokens: number } | null;
};
export type ToolCall = { id: string; type: "function"; function: { name: string; arguments: string } };

/** The content of a reply so far. `last` is the number of the last event in it. */
export type Reply = {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly toolCalls: readonly ToolCall[];
  readonly model: string;
  readonly last: number;
  readonly end: End | null;
};

export type ReplyEvent = { n: number; name: string; data: unknown };

export const NOTHING: Reply = { text: "", reasoning: "", refusal: "", toolCalls: [], model: "", last: 0, end: null };

/**
 * Read the events of a response until the server closes it. Call `onActivity` for each event, and for each comment that
 * the server sends to keep the connection open. Throws if the connection breaks.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  onActivity: () => void = () => {},
): AsyncGenerator<ReplyEvent> {
  const decoder = new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>;
  const parser = new EventSourceParserStream({ onComment: onActivity });
  const reader = body.pipeThrough(decoder).pipeThrough(parser).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onActivity();
      yield toEvent(value);
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

function toEvent({ id, event, data }: EventSourceMessage): ReplyEvent {
  return { n: Number(id) || 0, name: event ?? "message", data: JSON.parse(data) };
}

/** Add an event to a reply. An event that arrives again changes nothing. */
export function applyEvent(reply: Reply, { n, name, data }: ReplyEvent): Reply {
  if (n <= reply.last) return reply;
  const next = { ...reply, last: n };
  switch (name) {
    case "start":
      return { ...next, model: (data as Start).model };
    case "text":
    case "reasoning":
    case "refusal":
      return { ...next, [name]: reply[name] + (data as { text: string }).text };
    case "tool_call":
      return { ...next, toolCalls: withPiece(reply.toolCalls, data as Piece) };
    case "end":
      return { ...next, end: data as End };
    default:
      return next;
  }
}

type Piece = { position: number; id?: string; name?: string; arguments?: string };

function withPiece(calls: readonly ToolCall[], piece: Piece): ToolCall[] {
  const known = calls[piece.position];
  const call: ToolCall = {
    id: known?.id || (piece.id ?? ""),
    type: "function",
    function: {
      name: known?.function.name || (piece.name ?? ""),
      arguments: (known?.function.arguments ?? "") + (piece.arguments ?? ""),
    },
  };
  return Object.assign([...calls], { [piece.position]: call });
}

/** Return the message with the content of its reply so far, and with its final status if the reply has ended. */
export function messageOf(message: Message, reply: Reply): Message {
  const content = {
    content: reply.text,
    reasoning: reply.reasoning,
    tool_calls: reply.toolCalls.length ? [...reply.toolCalls] : null,
    parts: reply.refusal ? [{ type: "refusal", refusal: reply.refusal }] : null,
    model: message.model || reply.model,
  };
  return reply.end ? { ...message, ...content, ...atEnd(reply.end) } : { ...message, ...content };
}

function atEnd({ status, finish_reason, error, usage }: End) {
  return {
    status: status === "stopped" ? ("incomplete" as const) : status,
    finish_reason: finish_reason ?? (status === "stopped" ? "stopped" : ""),
    error: error?.message ?? "",
    ...usage,
  };
}
