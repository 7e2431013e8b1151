/** The operators of the search: which ones fit what is typed at the cursor, and what completing one changes. */

import { t } from "../i18n";

/** The values that an operator can have here. */
export type Values = { models: string[]; tags: string[] };
/** `text` replaces the token at the cursor. `label` is what the list shows, `hint` explains it. */
export type Suggestion = { text: string; label: string; hint: string };
export type Completed = { text: string; cursor: number };
type Token = { start: number; end: number; text: string };

const ROLES = ["user", "assistant", "system", "developer", "tool", "critic"];
/** The patterns of complete values. The API searches for other values as text. */
const VALUE_PATTERNS: Record<string, RegExp> = {
  role: new RegExp(`^(${ROLES.join("|")})$`),
  model: /[^"]/,
  tag: /[^"]/,
  after: /^\d{4}-\d\d-\d\d/,
  before: /^\d{4}-\d\d-\d\d/,
  has: /^tool_calls$/i,
  in: /^title$/i,
};
const MOST_VALUES = 8;

/** Return the operators with explanations. The label of an operator without a name is an example. */
export function operators(): Suggestion[] {
  return [
    { text: '"', label: t("“a phrase”"), hint: t("these words in this order") },
    { text: "-", label: t("-word"), hint: t("without this word") },
    { text: "role:", label: "role:", hint: t("who wrote it") },
    { text: "model:", label: "model:", hint: t("which model answered") },
    { text: "tag:", label: "tag:", hint: t("a tag of the conversation") },
    { text: "after:", label: "after:", hint: t("from this day on") },
    { text: "before:", label: "before:", hint: t("before this day") },
    { text: "has:tool_calls", label: "has:tool_calls", hint: t("with tool calls") },
    { text: "in:title", label: "in:title", hint: t("in titles only") },
  ];
}

/** Return the token at the cursor: from a space, outside of quotation marks, up to the cursor and the next space. */
export function tokenAt(text: string, cursor: number): Token {
  let start = 0;
  let isQuoted = false;
  for (let index = 0; index < cursor; index++) {
    if (text[index] === '"') isQuoted = !isQuoted;
    if (/\s/.test(text[index] ?? "") && !isQuoted) start = index + 1;
  }
  const rest = text.slice(cursor).search(isQuoted ? /"/ : /\s/);
  const end = rest === -1 ? text.length : cursor + rest + (isQuoted ? 1 : 0);
  return { start, end: isQuoted && rest === -1 ? cursor : end, text: text.slice(start, cursor) };
}

/** Return what can complete the token at the cursor. Without a token, these are all operators. */
export function suggest(text: string, cursor: number, values: Values, now = new Date()): Suggestion[] {
  const typed = tokenAt(text, cursor).text;
  if (typed === "") return operators();
  const [, operator, value] = /^([a-z]+):"?([^"]*)$/i.exec(typed) ?? [];
  if (operator === undefined || value === undefined) return namesThatBeginWith(typed);
  return valuesOf(operator.toLowerCase(), values, now)
    .filter((suggestion) => matches(suggestion, value) && suggestion.text !== typed)
    .slice(0, MOST_VALUES);
}

/** Return the query without an operator at its end whose value is still missing, such as `role:us`. */
export function withoutUnfinished(text: string): string {
  const query = text.trim();
  const token = tokenAt(query, query.length);
  const [, operator = "", value = ""] = /^([a-z]+):(.*)$/is.exec(token.text) ?? [];
  const isFinished = VALUE_PATTERNS[operator.toLowerCase()]?.test(value) ?? true;
  return isFinished ? query : query.slice(0, token.start).trim();
}

/** Return the text in which the suggestion replaces the token at the cursor. A finished token is followed by a space. */
export function complete(text: string, cursor: number, suggestion: Suggestion): Completed {
  const { start, end } = tokenAt(text, cursor);
  const inserted = suggestion.text + (isFinished(suggestion.text) ? " " : "");
  const rest = text.slice(end).replace(/^\s+/, isFinished(suggestion.text) ? "" : " ");
  return { text: text.slice(0, start) + inserted + rest, cursor: start + inserted.length };
}

function isFinished(text: string): boolean {
  return !/^(-|"|[a-z]+:)$/.test(text);
}

function namesThatBeginWith(typed: string): Suggestion[] {
  const start = typed.toLowerCase();
  return operators().filter(({ text }) => /^[a-z]/.test(text) && text.startsWith(start) && text !== start);
}

function matches({ text, label }: Suggestion, value: string): boolean {
  const wanted = value.toLowerCase();
  return (
    text
      .slice(text.indexOf(":") + 1)
      .replace('"', "")
      .toLowerCase()
      .startsWith(wanted) || label.toLowerCase().includes(wanted)
  );
}

function valuesOf(operator: string, { models, tags }: Values, now: Date): Suggestion[] {
  if (operator === "role") return ROLES.map((role) => ({ ...named("role", role), hint: roleName(role) }));
  if (operator === "model") return models.map((model) => named("model", model));
  if (operator === "tag") return tags.map((tag) => named("tag", tag));
  if (operator === "after" || operator === "before") return days(operator, now);
  return operators().filter(({ text }) => text.startsWith(`${operator}:`));
}

function named(operator: string, value: string): Suggestion {
  return { text: `${operator}:${quoted(value)}`, label: value, hint: "" };
}

/** Put a value with spaces into quotation marks. The query has no escape for a quotation mark, so none is kept. */
function quoted(value: string): string {
  const plain = value.replaceAll('"', "");
  return /\s/.test(plain) ? `"${plain}"` : plain;
}

/** Return the name of a role for people. */
function roleName(role: string): string {
  const names: Record<string, string> = {
    user: t("You"),
    assistant: t("Assistant"),
    system: t("System prompt"),
    developer: t("System prompt"),
    tool: t("Tool"),
  };
  return names[role] ?? role;
}

function days(operator: "after" | "before", now: Date): Suggestion[] {
  const ago = (count: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - count);
  const choices: [Date, string][] = [
    [ago(0), t("today")],
    [ago(1), t("yesterday")],
    [ago(7), t("a week ago")],
    [ago(30), t("30 days ago")],
    [new Date(now.getFullYear(), 0, 1), t("the beginning of the year")],
    [ago(365), t("a year ago")],
  ];
  return choices.map(([day, hint]) => ({ text: `${operator}:${isoDay(day)}`, label: isoDay(day), hint }));
}

function isoDay(day: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}
