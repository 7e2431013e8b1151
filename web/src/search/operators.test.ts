import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import { complete, type Suggestion, suggest, tokenAt, withoutUnfinished } from "./operators";

const VALUES = { models: ["gpt-4", "claude 3"], tags: ["travel", "two words"] };
const NOW = new Date(2026, 2, 5, 12);
const end = (text: string) => suggest(text, text.length, VALUES, NOW).map((suggestion) => suggestion.text);
const suggestion = (text: string): Suggestion => ({ text, label: text, hint: "" });

beforeAll(() => i18next.init({ lng: "en", resources: {}, keySeparator: false, nsSeparator: false }));

describe("the token at the cursor", () => {
  it.each([
    ["", 0, ""],
    ["rol", 3, "rol"],
    ["stay rol", 8, "rol"],
    ["stay rol", 4, "stay"],
    ["stay ", 5, ""],
    ['tag:"two wo', 11, 'tag:"two wo'],
    ['"a phrase" ta', 13, "ta"],
    ["role:user", 2, "ro"],
  ])("of %j at %d is %j", (text, cursor, token) => {
    expect(tokenAt(text, cursor).text).toBe(token);
  });
});

describe("the suggestions", () => {
  it("are all operators where nothing is typed", () => {
    expect(end("stay ")).toEqual([
      '"',
      "-",
      "role:",
      "model:",
      "tag:",
      "after:",
      "before:",
      "has:tool_calls",
      "in:title",
    ]);
  });

  it("are the operators that begin with the word", () => {
    expect(end("stay ro")).toEqual(["role:"]);
    expect(end("HA")).toEqual(["has:tool_calls"]);
    expect(end("lisbon")).toEqual([]);
  });

  it("are the values of an operator", () => {
    expect(end("role:")).toEqual([
      "role:user",
      "role:assistant",
      "role:system",
      "role:developer",
      "role:tool",
      "role:critic",
    ]);
    expect(end("model:g")).toEqual(["model:gpt-4"]);
    expect(end("has:")).toEqual(["has:tool_calls"]);
    expect(end("in:t")).toEqual(["in:title"]);
  });

  it("put values with spaces into quotation marks", () => {
    expect(end("tag:")).toEqual(["tag:travel", 'tag:"two words"']);
    expect(end('tag:"two w')).toEqual(['tag:"two words"']);
    expect(end("tag:words")).toEqual(['tag:"two words"']);
  });

  it("are days in the time zone of the user", () => {
    expect(end("after:").slice(0, 5)).toEqual([
      "after:2026-03-05",
      "after:2026-03-04",
      "after:2026-02-26",
      "after:2026-02-03",
      "after:2026-01-01",
    ]);
  });

  it("are none for a value that is complete, or an operator that does not exist", () => {
    expect(end("role:user")).toEqual([]);
    expect(end("site:example.com")).toEqual([]);
    expect(end("-role:")).toEqual([]);
  });
});

describe("completing", () => {
  it("replaces the token and waits for the value of an operator", () => {
    expect(complete("stay ro", 7, suggestion("role:"))).toEqual({ text: "stay role:", cursor: 10 });
  });

  it("adds a space after a value", () => {
    expect(complete("role:u", 6, suggestion("role:user"))).toEqual({ text: "role:user ", cursor: 10 });
  });

  it("keeps what follows the cursor", () => {
    expect(complete("ro lisbon", 2, suggestion("role:"))).toEqual({ text: "role: lisbon", cursor: 5 });
    expect(complete("role:u lisbon", 6, suggestion("role:user"))).toEqual({ text: "role:user lisbon", cursor: 10 });
    expect(complete('tag:"two wo" x', 9, suggestion('tag:"two words"'))).toEqual({
      text: 'tag:"two words" x',
      cursor: 16,
    });
  });

  it("replaces the whole word in the middle of which the cursor is", () => {
    expect(complete("role:assistant stay", 5, suggestion("role:user"))).toEqual({ text: "role:user stay", cursor: 10 });
  });

  it("begins a phrase", () => {
    expect(complete("stay ", 5, suggestion('"'))).toEqual({ text: 'stay "', cursor: 6 });
  });
});

describe("a query that is being typed", () => {
  it.each([
    ["stay role:", "stay"],
    ["stay role:us", "stay"],
    ["after:2026-0", ""],
    ['stay tag:"', "stay"],
    ["in:", ""],
  ])("is sent without an unfinished operator: %j", (text, sent) => {
    expect(withoutUnfinished(text)).toBe(sent);
  });

  it.each([
    "stay role:user",
    'tag:"two words"',
    "model:gpt",
    "after:2026-01-01",
    "https:",
    "role: stay",
    '"a role:',
    "HAS:tool_calls",
  ])("is sent as it is: %j", (text) => {
    expect(withoutUnfinished(text)).toBe(text);
  });
});
