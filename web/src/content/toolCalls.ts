/** Reads `tool_calls`, which are any JSON: OpenAI's format, Anthropic's and Vercel's, or something else. */

import { isFields } from "./parts";

export type ToolCall = { name: string; input: string };

export function readToolCalls(calls: unknown): ToolCall[] {
  return Array.isArray(calls) ? calls.map(readToolCall) : [];
}

function readToolCall(call: unknown): ToolCall {
  const fields = isFields(call) ? call : {};
  const inner = isFields(fields.function) ? fields.function : fields;
  const name = [inner.name, inner.toolName, fields.type].find((value) => typeof value === "string" && value);
  const input = inner.arguments ?? inner.input ?? inner.args ?? call;
  return { name: (name as string | undefined) ?? "", input: prettyJson(input) };
}

/** The longest JSON that gets indentation, in characters. */
const LONGEST = 100_000;

/** Return JSON with indentation. A text that is not JSON, such as arguments that are still streaming, stays as it is. */
export function prettyJson(value: unknown): string {
  if (typeof value === "string" && (value.length > LONGEST || !/^\s*[[{]/.test(value))) return value;
  try {
    return JSON.stringify(typeof value === "string" ? JSON.parse(value) : value, null, 2) ?? "";
  } catch {
    return String(value);
  }
}

export function isJson(text: string): boolean {
  return /^[[{]/.test(text);
}
