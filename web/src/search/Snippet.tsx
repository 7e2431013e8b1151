import { parseSnippet, shorten } from "./parseSnippet";

type Props = {
  html: string;
  /** Begin shortly before the first match, to fit on one line. */
  isShort?: boolean;
};

/** The text of a snippet with its matches marked. React escapes the texts. */
export function Snippet({ html, isShort = false }: Props) {
  const pieces = parseSnippet(html);
  return (isShort ? shorten(pieces) : pieces).map(({ text, isMarked }, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the pieces have no identity, and no state
    return isMarked ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>;
  });
}
