import { describe, expect, it } from "vitest";
import type { Message } from "../api/messages";
import { applyEvent, messageOf, NOTHING, type Reply, type ReplyEvent, readEvents } from "./events";

const START = { n: 1, name: "start", data: { model: "echo" } };
const text = (n: number, piece: string): ReplyEvent => ({ n, name: "text", data: { text: piece } });
const built = (...events: ReplyEvent[]): Reply => events.reduce(applyEvent, NOTHING);

function bodyOf(...chunks: string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      controller.close();
    },
  });
}

async function read(...chunks: string[]): Promise<ReplyEvent[]> {
  const events: ReplyEvent[] = [];
  for await (const event of readEvents(bodyOf(...chunks))) events.push(event);
  return events;
}

describe("reading events", () => {
  it("joins an event that arrives in parts", async () => {
    expect(await read("id: 2\nevent: te", 'xt\ndata: {"text":"a"}\n', "\n")).toEqual([text(2, "a")]);
  });

  it("gives an event without an id the number 0", async () => {
    expect(await read("event: closing\ndata: {}\n\n")).toEqual([{ n: 0, name: "closing", data: {} }]);
  });

  it("leaves out an event that is not complete", async () => {
    expect(await read('id: 2\nevent: text\ndata: {"text":"a"}\n')).toEqual([]);
  });
});

describe("a reply", () => {
  it("joins its pieces", () => {
    expect(built(START, text(2, "This "), text(3, "is"))).toMatchObject({ text: "This is", model: "echo", last: 3 });
  });

  it("ignores an event that arrives again", () => {
    expect(built(START, text(2, "a"), text(2, "a"), text(3, "b")).text).toBe("ab");
  });

  it("joins the pieces of each tool call", () => {
    const piece = (n: number, data: object) => ({ n, name: "tool_call", data });
    const reply = built(
      piece(1, { position: 0, id: "a", name: "weather", arguments: '{"city"' }),
      piece(2, { position: 1, id: "b", name: "time", arguments: "{}" }),
      piece(3, { position: 0, arguments: ':"Rome"}' }),
    );
    expect(reply.toolCalls.map((call) => [call.id, call.function.name, call.function.arguments])).toEqual([
      ["a", "weather", '{"city":"Rome"}'],
      ["b", "time", "{}"],
    ]);
  });
});

describe("the message of a reply", () => {
  const message = { id: "m", content: "", status: "in_progress" } as Message;

  it("has the text so far, and is in progress before the end", () => {
    expect(messageOf(message, built(START, text(2, "Hi")))).toMatchObject({ content: "Hi", status: "in_progress" });
  });

  it("is incomplete if the reply was stopped", () => {
    const end = { status: "stopped", finish_reason: null, error: null, usage: null };
    const reply = built(START, text(2, "Hi"), { n: 3, name: "end", data: end });
    expect(messageOf(message, reply)).toMatchObject({ status: "incomplete", finish_reason: "stopped", error: "" });
  });

  it("has the reason of a failure, and the tokens", () => {
    const error = { code: "upstream_failed", message: "The model did not answer." };
    const end = { status: "failed", finish_reason: "", error, usage: { prompt_tokens: 7, completion_tokens: 2 } };
    const reply = built(START, { n: 2, name: "end", data: end });
    expect(messageOf(message, reply)).toMatchObject({ status: "failed", error: error.message, prompt_tokens: 7 });
  });
});
