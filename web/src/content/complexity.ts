/** Says which texts are too long or too tangled for Markdown. They are shown as plain text. */

/** The longest text that is shown as Markdown unasked, in characters. */
export const LONGEST_MARKDOWN = 200_000;
/** The longest block, in characters. A parser works through a block in one go, and the page waits for it. */
const LONGEST_BLOCK = 15_000;
/** The most signs in a block that a parser of Markdown looks at more than once. */
const MOST_SIGNS = 1_000;
/** The most lines in a block. Each can be an element, as the items of a nested list and the rows of a table are. */
const MOST_LINES = 400;
const SIGNS = /[*_~`[\]<>!&]/g;
/** The most words that can become links by themselves. Each is compared with several patterns. */
const MOST_ADDRESSES = 300;
const ADDRESSES = /www\.|https?:|@/gi;
/** Quotations or lists in each other: each level is a call that is not finished before the next one begins. */
const DEEP = /^([ \t]*(>|[-*+][ \t]|\d{1,9}[.)][ \t])){20}|^[ \t]{100}/m;

export function isTooComplex(block: string): boolean {
  if (block.length > LONGEST_BLOCK || DEEP.test(block)) return true;
  if (count(block, ADDRESSES) > MOST_ADDRESSES) return true;
  return count(block, SIGNS) > MOST_SIGNS || count(block, /[\n\r]/g) > MOST_LINES;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
