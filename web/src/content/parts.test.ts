import { describe, expect, it } from "vitest";
import { readParts } from "./parts";
import { prettyJson, readToolCalls } from "./toolCalls";

describe("structured content", () => {
  it("is read in OpenAI's format of chat completions", () => {
    const parts = [
      { type: "text", text: "Hello" },
      { type: "image_url", image_url: { url: "https://a.example/b.png", detail: "low" } },
      { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
      { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } },
      { type: "file", file: { file_id: "file-1" } },
      { type: "refusal", refusal: "No." },
    ];
    expect(readParts(parts, "")).toEqual([
      { kind: "text", text: "Hello" },
      { kind: "picture", address: "https://a.example/b.png", description: "" },
      { kind: "file", name: "", data: "data:audio/wav;base64,AAAA" },
      { kind: "file", name: "a.pdf", data: "data:application/pdf;base64,AAAA" },
      { kind: "file", name: "file-1", data: "" },
      { kind: "refusal", text: "No." },
    ]);
  });

  it("is read in the formats of OpenAI's responses, of Anthropic and of Vercel", () => {
    const parts = [
      { type: "input_image", image_url: "https://a.example/b.png" },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
      { type: "thinking", thinking: "Hm", signature: "x" },
      { type: "step-start" },
    ];
    expect(readParts(parts, "")).toEqual([
      { kind: "picture", address: "https://a.example/b.png", description: "" },
      { kind: "picture", address: "data:image/png;base64,AAAA", description: "" },
      { kind: "reasoning", text: "Hm" },
    ]);
  });

  it("leaves out texts that the content has already", () => {
    expect(readParts([{ type: "text", text: "Hello" }], "Hello, world")).toEqual([]);
  });

  it("shows everything else as JSON", () => {
    expect(readParts({ type: "chart", points: [1] }, "")).toEqual([
      { kind: "json", name: "chart", value: { type: "chart", points: [1] } },
    ]);
    expect(readParts([7, null], "")).toMatchObject([{ kind: "json" }, { kind: "json" }]);
    expect(readParts(null, "")).toEqual([]);
  });
});

describe("tool calls", () => {
  it("are read in the formats of OpenAI, Anthropic and Vercel", () => {
    const pretty = '{\n  "a": 1\n}';
    const calls = [
      { id: "1", type: "function", function: { name: "f", arguments: '{"a":1}' } },
      { type: "tool_use", name: "g", input: { a: 1 } },
      { toolName: "h", args: { a: 1 } },
    ];
    expect(readToolCalls(calls)).toEqual(["f", "g", "h"].map((name) => ({ name, input: pretty })));
  });

  it("show arguments that are not complete yet as they are", () => {
    expect(prettyJson('{"a": [1, ')).toBe('{"a": [1, ');
  });
});
