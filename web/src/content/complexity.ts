/** Decides which texts are too long or too deeply nested for Markdown. They are shown as plain text. */

/** The longest text, in characters, that is shown as Markdown before the reader asks for it. */
export const LONGEST_MARKDOWN = 200_000;
/** The longest block, in characters. The page waits while the parser reads a block. */
const LONGEST_BLOCK = 15_000;
/** The most special characters in a block. The parser can read each of them several times. */
const MOST_SPECIAL = 1_000;
/** The most lines in a block. Each can be an element, such as an item of a nested list or a row of a table. */
const MOST_LINES = 400;
const SPECIAL = /[*_~`[\]<>!&]/g;
/** The most words that can become links without Markdown. Each is compared with several patterns. */
const MOST_ADDRESSES = 300;
const ADDRESSES = /www\.|https?:|@/gi;
/** Quotations or lists that are nested too deeply: the parser calls itself for each level. */
const DEEP = /^([ \t]*(>|[-*+][ \t]|\d{1,9}[.)][ \t])){20}|^[ \t]{100}/m;

export function isTooComplex(block: string): boolean {
  if (block.length > LONGEST_BLOCK || DEEP.test(block)) return true;
  if (count(block, ADDRESSES) > MOST_ADDRESSES) return true;
  return count(block, SPECIAL) > MOST_SPECIAL || count(block, /[\n\r]/g) > MOST_LINES;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
