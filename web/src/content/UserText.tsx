import { useMemo } from "react";
import { type Block, splitBlocks } from "./blocks";
import { CodeBlock } from "./CodeBlock";
import { PlainText } from "./PlainText";

/**
 * The text of a user. It is shown as it was written, because people do not think of Markdown when they write `*` or
 * `#`. Web addresses become links, and fenced code becomes a block of code.
 */
export function UserText({ text }: { text: string }) {
  const pieces = useMemo(() => splitFences(text), [text]);
  return pieces.map((piece, index) =>
    typeof piece === "string" ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the same text gives the same pieces
      <PlainText key={index} text={piece} />
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the same text gives the same pieces
      <CodeBlock key={index} code={piece.code} language={piece.language} />
    ),
  );
}

type Fence = Extract<Block, { kind: "code" }>;

/** Split a text into its closed fenced blocks and the texts between them. */
function splitFences(text: string): (string | Fence)[] {
  if (!text.includes("```")) return [text];
  const pieces: (string | Fence)[] = [];
  let done = 0;
  const addText = (end: number) => {
    const between = withoutEmptyLines(text.slice(done, end));
    if (between) pieces.push(between);
  };
  for (const block of splitBlocks(text)) {
    if (block.kind !== "code" || !block.isClosed) continue;
    addText(block.start);
    pieces.push(block);
    done = block.end;
  }
  addText(text.length);
  return pieces;
}

/** Remove the line breaks at both ends. A pattern such as `\n+$` takes quadratic time for line breaks in the middle. */
function withoutEmptyLines(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === "\n") start += 1;
  while (end > start && text[end - 1] === "\n") end -= 1;
  return text.slice(start, end);
}
