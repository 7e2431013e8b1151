import { describe, expect, it } from "vitest";
import type { Message } from "../api/messages";
import type { Kind, Pending, Phase } from "./questions";
import { buildRows, replyUnderWay } from "./rows";

const message = (id: string, fields: Partial<Message> = {}) =>
  ({ id, role: "user", status: "completed", created_at: "2026-11-28T10:00:00Z", ...fields }) as Message;
const pending = (kind: Kind, messageId?: string, phase: Phase = { name: "sending" }) =>
  ({ question: { key: `key-${kind}`, kind, ...(messageId && { messageId }) }, phase }) as Pending;
const keys = (...args: Parameters<typeof buildRows>) =>
  buildRows(...args)
    .filter(({ kind }) => kind !== "day")
    .map(({ key }) => key);
const accepted = { name: "accepted", questionId: "q", answerId: "r" } as const;

describe("the rows of a thread", () => {
  it("begin each day with the day", () => {
    const rows = buildRows([message("a"), message("b"), message("c", { created_at: "2026-11-30T10:00:00Z" })], []);
    expect(rows.map(({ kind }) => kind)).toEqual(["day", "message", "message", "day", "message"]);
  });

  it("end with the questions that wait", () => {
    expect(keys([message("a")], [pending("ask")])).toEqual(["a", "key-ask"]);
  });

  it("show an edited question in the place of the old one and of what followed", () => {
    expect(keys([message("a"), message("b"), message("c")], [pending("edit", "b")])).toEqual(["a", "key-edit"]);
  });

  it("keep a question that is answered again", () => {
    expect(keys([message("a"), message("b")], [pending("again", "b")])).toEqual(["a", "b", "key-again"]);
  });

  it("show a question once, when the window has its answer", () => {
    expect(keys([message("q"), message("r")], [pending("ask", undefined, accepted)])).toEqual(["q", "r"]);
    expect(keys([message("q")], [pending("again", "old", accepted)])).toEqual(["q", "key-again"]);
  });
});

describe("the reply under way", () => {
  const answer = (status: Message["status"]) => message("r", { role: "assistant", ...(status && { status }) });

  it("is the last answer, while it is in progress", () => {
    expect(replyUnderWay(buildRows([message("q"), answer("in_progress")], []))).toBe("r");
    expect(replyUnderWay(buildRows([message("q"), answer("completed")], []))).toBeNull();
  });

  it("is the answer to a question that was just accepted", () => {
    expect(replyUnderWay(buildRows([message("q")], [pending("ask", undefined, accepted)]))).toBe("r");
  });

  it("is no answer before the last question", () => {
    expect(replyUnderWay(buildRows([answer("in_progress"), message("q")], []))).toBeNull();
  });
});
