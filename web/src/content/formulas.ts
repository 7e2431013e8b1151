/**
 * Finds the formulas in a block of Markdown: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`.
 *
 * Markdown would change the characters inside a formula, such as `_`, `\\` and `|`. So each formula is replaced by a
 * placeholder before the Markdown is parsed. `rehypeFormulas` puts the formulas back, and inside code their source.
 */

export type Formula = { tex: string; source: string; isDisplay: boolean; isClosed: boolean };
export type ProtectedText = { text: string; formulas: Formula[] };

/** The longest formula in characters. A longer one is shown as text. */
const LONGEST = 5000;
/** The most formulas in one block. Further ones are shown as text. */
const MOST = 500;
const TOKEN = /`+|~{3,}|\\[^\n]|\$\$?/g;
const LINE_START = /(^|\n)[ \t>]*(([-*+]|\d{1,9}[.)])[ \t]+)?$/;

/** Return whether a text can contain formulas. */
export function mayContainFormulas(text: string): boolean {
  return text.includes("$") || text.includes("\\(") || text.includes("\\[");
}

/** Replace the formulas of a block. While the text is streaming, a formula in `$$` or `\[` may still be open. */
export function protectFormulas(text: string, isStreaming = false): ProtectedText {
  const formulas: Formula[] = [];
  const pieces: string[] = [];
  const code = new CodeFinder(text);
  const find = { $$: finder(text, "$$"), "\\)": finder(text, "\\)"), "\\]": finder(text, "\\]") };
  let done = 0;
  TOKEN.lastIndex = 0;

  const replace = (from: number, to: number, formula: Omit<Formula, "source">) => {
    pieces.push(text.slice(done, from), placeholder(formulas.length));
    formulas.push({ ...formula, source: text.slice(from, to) });
    done = to;
    return to;
  };

  const readDelimited = (from: number, open: string, close: keyof typeof find): number => {
    const start = from + open.length;
    const end = find[close](start);
    const isClosed = end >= 0;
    if (!isClosed && !(isStreaming && open !== "\\(")) return start;
    const tex = text.slice(start, isClosed ? end : text.length);
    if (!isFormula(tex)) return start;
    if (open === "\\[" && !looksLikeTex(tex) && !isAtLineStart(text, from)) return start;
    const to = isClosed ? end + close.length : text.length;
    return replace(from, to, { tex: withoutQuoteMarks(tex), isDisplay: open !== "\\(", isClosed });
  };

  const readDollar = (from: number): number => {
    const end = endOfDollarFormula(text, from);
    if (end < 0) return from + 1;
    return replace(from, end + 1, { tex: text.slice(from + 1, end), isDisplay: false, isClosed: true });
  };

  for (let match = TOKEN.exec(text); match && formulas.length < MOST; match = TOKEN.exec(text)) {
    const [token] = match;
    const from = match.index;
    if (token[0] === "`" || token[0] === "~") TOKEN.lastIndex = code.endOf(from, token);
    else if (token === "$") TOKEN.lastIndex = readDollar(from);
    else if (token === "$$") TOKEN.lastIndex = readDelimited(from, "$$", "$$");
    else if (token === "\\(") TOKEN.lastIndex = readDelimited(from, "\\(", "\\)");
    else if (token === "\\[") TOKEN.lastIndex = readDelimited(from, "\\[", "\\]");
  }
  pieces.push(text.slice(done));
  return { text: pieces.join(""), formulas };
}

/** Return a number between two private-use characters, which Markdown treats as letters. */
function placeholder(index: number): string {
  return `\uE000${index}\uE001`;
}

function isFormula(tex: string): boolean {
  return tex.length <= LONGEST && tex.trim() !== "" && !/\n[ \t>]*\n/.test(tex);
}

/** Return whether a text has a character that prose rarely has. */
function looksLikeTex(text: string): boolean {
  return /[\\^_{}=<>+]/.test(text) || /^\s*\p{L}\s*$/u.test(text);
}

/** Return the position of the `$` that ends the formula, or -1 for an amount of money, a shell variable or plain text. */
function endOfDollarFormula(text: string, from: number): number {
  if (/[\w$]/.test(text[from - 1] ?? "") || /[\s$]/.test(text[from + 1] ?? " ")) return -1;
  const window = text.slice(from + 1, from + 1 + LONGEST);
  const length = /^(?:[^$\\\n]|\\[^\n]|\n(?![ \t>]*\n))*/.exec(window)?.[0].length ?? 0;
  const tex = window.slice(0, length);
  const next = window[length + 1] ?? "";
  if (window[length] !== "$" || next === "$" || /\s$/.test(tex) || /\d/.test(next)) return -1;
  if (/[A-Za-z_{]/.test(next) && !looksLikeTex(tex)) return -1;
  if (isAmount(tex)) return -1;
  return from + 1 + length;
}

/** Return whether a text between two `$` begins with an amount and continues with words, as in "$5 or 6$". */
function isAmount(tex: string): boolean {
  return /^\d[\d.,]*[kKmMbB]?\s*([–—,;/-]|\p{L}{2,}|\()/u.test(tex) && !/[\\^_{}=]/.test(tex);
}

function isAtLineStart(text: string, from: number): boolean {
  return LINE_START.test(text.slice(Math.max(0, from - 100), from));
}

/** Remove the `>` of a quotation before each line of a formula. */
function withoutQuoteMarks(tex: string): string {
  return tex.replace(/\n[ \t]*>[ \t]?/g, "\n");
}

/** Return a function that finds the next `needle`. Its argument may only grow, so all calls together are linear. */
function finder(text: string, needle: string): (from: number) => number {
  let next = 0;
  return (from) => {
    if (next >= 0 && next < from) next = text.indexOf(needle, from);
    else if (next === 0) next = text.indexOf(needle, from);
    return next;
  };
}

/** Finds the ends of code spans and fenced code. */
class CodeFinder {
  private readonly missing = new Set<string>();

  constructor(private readonly text: string) {}

  /** Return the position after the code that begins with `ticks`, or after the ticks if they begin no code. */
  endOf(from: number, ticks: string): number {
    const after = from + ticks.length;
    if (ticks.length >= 3 && isAtLineStart(this.text, from)) return this.endOfFence(after, ticks);
    if (ticks[0] === "~" || this.missing.has(ticks)) return after;
    const close = new RegExp(`(?<!\`)${ticks}(?!\`)`, "g");
    close.lastIndex = after;
    if (close.exec(this.text)) return close.lastIndex;
    this.missing.add(ticks);
    return after;
  }

  private endOfFence(after: number, ticks: string): number {
    const close = new RegExp(`\\n[ \\t>]*${ticks}${ticks[0]}*[ \\t]*(?=\\n|$)`, "g");
    close.lastIndex = after;
    return close.exec(this.text) ? close.lastIndex : this.text.length;
  }
}
