/** Says which texts are too long or too tangled for Markdown. They are shown as plain text. */

/** The longest text that is shown as Markdown unasked, in characters. */
export const LONGEST_MARKDOWN = 200_000;
/** The longest block, in characters. A parser works through a block in one go, and the page waits for it. */
const LONGEST_BLOCK = 30_000;
/** The most signs in a block that a parser of Markdown looks at more than once. */
const MOST_SIGNS = 2_000;
const SIGNS = /[*_~`[\]<>!&]/g;
/** Quotations or lists in each other: each level is a call that is not finished before the next one begins. */
const DEEP = /^([ \t]*(>|[-*+][ \t]|\d{1,9}[.)][ \t])){20}|^[ \t]{100}/m;

export function isTooComplex(block: string): boolean {
  return block.length > LONGEST_BLOCK || (block.match(SIGNS)?.length ?? 0) > MOST_SIGNS || DEEP.test(block);
}
