import { parseSnippet } from "./parseSnippet";

/** The text of a snippet with its matches marked. React escapes the texts. */
export function Snippet({ html }: { html: string }) {
  return parseSnippet(html).map(({ text, isMarked }, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the pieces have no identity, and no state
    return isMarked ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>;
  });
}
