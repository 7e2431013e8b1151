/** Splits Markdown into its top-level blocks, so that only the last block of a growing text is rendered again. */

export type MarkdownBlock = { kind: "markdown"; start: number; end: number; text: string };
export type FencedBlock = {
  kind: "code";
  start: number;
  end: number;
  language: string;
  code: string;
  isClosed: boolean;
};
export type Block = MarkdownBlock | FencedBlock;

/** The most characters of definitions that are copied to the blocks of a text. Further references are shown as text. */
const MOST_COPIED = 200_000;
/** A list that is longer, in characters, is split at its items, so that no block takes long to render. */
const LONG_LIST = 2_000;

type Fence = { mark: string; indent: number };
type List = { kind: string; indent: number; number: string };

const FENCE = /^( *)(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^\s{]*)/;
const ITEM = /^ {0,3}([-*+]|\d{1,9}[.)])([ \t]|$)/;
const HEADING = /^ {0,3}#{1,6}[ \t]/;
const ITEM_WITH_FENCE = /^ *([-*+]|\d{1,9}[.)]) +(`{3,}|~{3,})/;
const DEFINITION = /^ {0,3}\[(?!\^)([^\]\n]{1,200})\]:[ \t]*\S.*$/gm;
const REFERENCE = /\[([^[\]\n]{1,200})\]/g;
const FOOTNOTE = /^ {0,3}\[\^[^\]\n]{1,200}\]:/m;

/** Split a text. A footnote and its reference can be far apart, so a text with footnotes is one block. */
export function splitBlocks(text: string): Block[] {
  if (FOOTNOTE.test(text)) return [{ kind: "markdown", start: 0, end: text.length, text }];
  return addDefinitions(new Splitter(text).run(), text);
}

/** Append the definitions of links (`[name]: address`) to the blocks that refer to them. */
function addDefinitions(blocks: Block[], text: string): Block[] {
  const definitions = definitionsIn(text);
  if (definitions.size === 0) return blocks;
  let left = MOST_COPIED;
  return blocks.map((block) => {
    if (block.kind === "code") return block;
    const added = definitionsFor(block.text, definitions);
    left -= added.length;
    return added && left >= 0 ? { ...block, text: `${block.text}\n\n${added}` } : block;
  });
}

/** Return the definitions by their names. The first one of a name counts. */
function definitionsIn(text: string): Map<string, string> {
  const definitions = new Map<string, string>();
  for (const [line, name = ""] of text.matchAll(DEFINITION)) {
    const key = keyOf(name);
    if (!definitions.has(key)) definitions.set(key, line);
  }
  return definitions;
}

function definitionsFor(text: string, definitions: Map<string, string>): string {
  const keys = new Set(Array.from(text.matchAll(REFERENCE), ([, name = ""]) => keyOf(name)));
  return [...keys].flatMap((key) => definitions.get(key) ?? []).join("\n");
}

/** Names are compared without their case and the number of their spaces, as in Markdown. */
function keyOf(name: string): string {
  return name.trim().replace(/\s+/g, " ").toLowerCase().toUpperCase();
}

class Splitter {
  private readonly blocks: Block[] = [];
  private start = -1; // of the current block of Markdown; -1 if there is none
  private end = 0;
  private isIndentedCode = false;
  private list: List | null = null; // the outermost list in the current block
  private isAfterBlank = false;
  private inner: Fence | null = null; // a fence inside a list item

  constructor(private readonly text: string) {}

  run(): Block[] {
    let position = 0;
    while (position < this.text.length) position = this.readLine(position);
    this.finish();
    return this.blocks;
  }

  /** Read one line, or a whole top-level fenced block. Return the position after it. */
  private readLine(position: number): number {
    const end = endOfLine(this.text, position);
    const line = this.text.slice(position, end);
    if (line.trim() === "") {
      this.isAfterBlank = true;
      return end + 1;
    }
    if (this.isInsideInnerFence(line)) return this.extend(position, end, line);
    const fence = indentOf(line) < 4 && !this.continuesItem(line) ? FENCE.exec(line) : null;
    if (fence) return this.readFence(position, fence);
    if (this.isAfterBlank ? !this.continuesBlock(line) : HEADING.test(line)) this.finish();
    if (this.isNextItemOfLongList(position, line)) this.finish();
    this.readItem(line);
    return this.extend(position, end, line);
  }

  private extend(position: number, end: number, line: string): number {
    if (this.start < 0) {
      this.start = position;
      this.isIndentedCode = indentOf(line) >= 4;
    }
    this.end = end;
    this.isAfterBlank = false;
    return end + 1;
  }

  private finish(): void {
    const { start, end } = this;
    if (start >= 0) this.blocks.push({ kind: "markdown", start, end, text: this.text.slice(start, end) });
    this.start = -1;
    this.inner = this.list = null;
    this.isAfterBlank = false;
  }

  /** Remember the list and the fence that a line begins. */
  private readItem(line: string): void {
    if (this.list || ITEM.test(line)) this.inner = innerFence(line);
    const indent = indentOf(line);
    if (!ITEM.test(line) || (this.list && indent > this.list.indent + 1)) return;
    this.list ??= { kind: kindOfItem(line), indent, number: numberOfItem(line) };
    this.list = { ...this.list, kind: kindOfItem(line), indent };
  }

  /** Return whether a long list can be split before a line. One that is numbered `1.` throughout cannot. */
  private isNextItemOfLongList(position: number, line: string): boolean {
    if (!this.list || position - this.start < LONG_LIST || indentOf(line) > this.list.indent) return false;
    return kindOfItem(line) === this.list.kind && (!numberOfItem(line) || numberOfItem(line) !== this.list.number);
  }

  private continuesBlock(line: string): boolean {
    if (this.list) return this.continuesItem(line) || kindOfItem(line) === this.list.kind;
    return this.isIndentedCode && indentOf(line) >= 4;
  }

  private continuesItem(line: string): boolean {
    return this.list !== null && indentOf(line) >= 2;
  }

  private isInsideInnerFence(line: string): boolean {
    if (this.inner && (indentOf(line) < 2 || closes(line, this.inner))) this.inner = null; // the item or the fence ends
    return this.inner !== null;
  }

  private readFence(position: number, [, indent = "", mark = "", language = ""]: RegExpExecArray): number {
    this.finish();
    const fence = { mark, indent: indent.length };
    const lines: string[] = [];
    let at = endOfLine(this.text, position) + 1;
    let isClosed = false;
    while (at < this.text.length && !isClosed) {
      const end = endOfLine(this.text, at);
      const line = this.text.slice(at, end);
      isClosed = closes(line, fence);
      if (!isClosed) lines.push(withoutIndent(line, fence.indent));
      at = end + 1;
    }
    const end = Math.min(at, this.text.length);
    this.blocks.push({ kind: "code", start: position, end, language, code: lines.join("\n"), isClosed });
    return at;
  }
}

function endOfLine(text: string, position: number): number {
  const end = text.indexOf("\n", position);
  return end < 0 ? text.length : end;
}

/** Return the width of the white space before a line. A tab counts as four. */
function indentOf(line: string): number {
  let width = 0;
  for (const character of line) {
    if (character === " ") width += 1;
    else if (character === "\t") width += 4;
    else break;
  }
  return width;
}

function withoutIndent(line: string, width: number): string {
  let index = 0;
  while (index < width && line[index] === " ") index += 1;
  return line.slice(index);
}

/** Return the marker of a list item: `-`, `*`, `+`, `.` or `)`; empty for another line. */
function kindOfItem(line: string): string {
  return ITEM.exec(line)?.[1]?.slice(-1) ?? "";
}

/** Return the digits of an item of a numbered list; empty for another line. */
function numberOfItem(line: string): string {
  return /^ *(\d+)[.)]/.exec(line)?.[1] ?? "";
}

function innerFence(line: string): Fence | null {
  const mark = ITEM_WITH_FENCE.exec(line)?.[2] ?? FENCE.exec(line)?.[2];
  return mark ? { mark, indent: indentOf(line) } : null;
}

function closes(line: string, { mark }: Fence): boolean {
  const text = line.trim();
  return text.length >= mark.length && text === (mark[0] ?? "").repeat(text.length);
}
