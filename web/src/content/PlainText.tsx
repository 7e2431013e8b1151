import { memo } from "react";
import { showOverrides } from "./hiddenCharacters";
import { Link } from "./Link";
import { splitAddresses } from "./links";

/** The most characters in one element. The browser lays out only the elements that are in view. */
const CHUNK = 5_000;

/** A text as it was written, with its line breaks. Web addresses become links. */
export const PlainText = memo(function PlainText({ text }: { text: string }) {
  const chunks = splitChunks(showOverrides(text));
  return (
    <div className="plain-text">
      {chunks.map((chunk, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: chunks have no identity, and only the last one changes
        <Chunk key={index} text={chunk} isLong={chunks.length > 1} />
      ))}
    </div>
  );
});

const Chunk = memo(function Chunk({ text, isLong }: { text: string; isLong: boolean }) {
  return (
    <div dir="auto" className={isLong ? "off-screen" : undefined}>
      {splitAddresses(text).map(({ text, address }, index) => {
        if (address === null) return text;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same text gives the same pieces
          <Link key={index} address={address} text={text}>
            {text}
          </Link>
        );
      })}
    </div>
  );
});

/** Split a text after line breaks, or after `CHUNK` characters if there are none. */
function splitChunks(text: string): string[] {
  const chunks: string[] = [];
  let start = 0;
  while (text.length - start > CHUNK) {
    const newline = text.slice(start, start + CHUNK + 1).lastIndexOf("\n");
    const end = start + (newline > 0 ? newline : CHUNK);
    chunks.push(text.slice(start, end));
    start = newline > 0 ? end + 1 : end;
  }
  chunks.push(text.slice(start));
  return chunks;
}
