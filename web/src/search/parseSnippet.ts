/** The snippets of the API: escaped HTML in which the matches are in `<mark>`. */

export type Piece = { text: string; isMarked: boolean };

const BEFORE_MARK = 28; // characters
const TAG = /(<mark>|<\/mark>)/;
const REFERENCES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };

/** Split a snippet into plain texts, marked or not. Nothing but `<mark>` is markup; all the rest stays text. */
export function parseSnippet(html: string): Piece[] {
  const pieces: Piece[] = [];
  let isMarked = false;
  for (const token of html.split(TAG)) {
    if (TAG.test(token)) isMarked = token === "<mark>";
    else if (token) pieces.push({ text: unescapeHtml(token), isMarked });
  }
  return pieces;
}

/** Cut the text before the first mark, so that the mark is in view in a single line. */
export function shorten(pieces: Piece[]): Piece[] {
  const [first, ...rest] = pieces;
  if (!first || first.isMarked || rest.length === 0 || first.text.length <= BEFORE_MARK) return pieces;
  const end = first.text.slice(-BEFORE_MARK);
  return [{ text: `…${end.slice(end.indexOf(" ") + 1)}`, isMarked: false }, ...rest];
}

function unescapeHtml(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#x27);/g, (reference) => REFERENCES[reference] ?? reference);
}
