import { describe, expect, it } from "vitest";
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

const QUESTION: Question = {
  key: "k",
  userId: "u",
  conversationId: "c",
  kind: "ask",
  content: "Hello",
  createdAt: "2026-11-28T00:00:00Z",
};
const pending = (key: string, conversationId: string | null, phase: Phase = { name: "sending" }): Pending => ({
  question: { ...QUESTION, key, conversationId },
  phase,
});

describe("the request of a question", () => {
  it("goes to its conversation, or begins one", () => {
    expect(requestOf(QUESTION)).toEqual({
      url: "/api/v1/conversations/c/reply/",
      body: { stream: true, content: "Hello" },
    });
    expect(requestOf({ ...QUESTION, conversationId: null }).url).toBe("/api/v1/chat/");
  });

  it("names the message that is edited", () => {
    expect(requestOf({ ...QUESTION, kind: "edit", messageId: "m" }).body).toMatchObject({
      message_id: "m",
      content: "Hello",
    });
  });

  it("has no content if another answer is requested", () => {
    const { body } = requestOf({ ...QUESTION, kind: "again", messageId: "m", content: "", model: "groq" });
    expect(body).toEqual({ stream: true, message_id: "m", model: "groq" });
  });

  it("has the system prompt of a new conversation", () => {
    expect(requestOf({ ...QUESTION, systemPrompt: "Be brief." }).body).toMatchObject({
      model_options: { system_prompt: "Be brief." },
    });
  });
});

describe("a stored question", () => {
  it("is read as it was written", () => {
    expect(parseQuestion(JSON.stringify(QUESTION))).toEqual(QUESTION);
  });

  it("is ignored if it is damaged", () => {
    expect([null, "", "{", "5", '{"key": 1}'].map(parseQuestion)).toEqual([null, null, null, null, null]);
  });
});

describe("a question that is refused", () => {
  it("waits if the connection is missing, or the server or its gateway is busy", () => {
    expect(canWait({ status: 0, isTemporary: true })).toBe(true);
    expect([502, 504].every((status) => canWait({ status, isTemporary: false }))).toBe(true);
  });

  it("does not wait if the server will not take it", () => {
    expect([400, 404, 409, 413, 500].some((status) => canWait({ status, isTemporary: false }))).toBe(false);
  });

  it("waits longer after each attempt, at most half a minute, or as long as the server says", () => {
    expect([1, 2, 3, 10, 99].map((attempts) => delayAfter(attempts, 0))).toEqual([1, 2, 4, 30, 30]);
    expect(delayAfter(1, 45)).toBe(45);
  });
});

describe("the questions that may be sent", () => {
  it("are the first of each conversation", () => {
    const line = nextInLine([pending("1", "a"), pending("2", "a"), pending("3", "b")]);
    expect(line.map(({ question }) => question.key)).toEqual(["1", "3"]);
  });

  it("are not those that wait for the next attempt, nor those behind them", () => {
    const waiting = { name: "waiting", reason: "", attempts: 1, isTrying: false } as const;
    expect(nextInLine([pending("1", "a", waiting), pending("2", "a")])).toEqual([]);
    expect(nextInLine([pending("1", "a", { ...waiting, isTrying: true })])).toHaveLength(1);
  });

  it("are all that begin a conversation", () => {
    expect(nextInLine([pending("1", null), pending("2", null)])).toHaveLength(2);
  });

  it("come after those that the server has accepted", () => {
    const accepted = pending("1", "a", { name: "accepted", questionId: "q", answerId: "r" });
    expect(nextInLine([accepted, pending("2", "a")]).map(({ question }) => question.key)).toEqual(["2"]);
  });
});

it("gives each question its own key", () => {
  expect(newKey()).toMatch(/^[0-9a-f]{32}$/);
  expect(newKey()).not.toBe(newKey());
});
