import { lazy, memo, Suspense, useDeferredValue, useMemo, useState } from "react";
import { t } from "../i18n";
import { type Block, splitBlocks } from "./blocks";
import { CodeBlock } from "./CodeBlock";
import { isTooComplex, LONGEST_MARKDOWN } from "./complexity";
import { PlainText } from "./PlainText";
import { PlainTextBoundary } from "./PlainTextBoundary";
import "./markdown.css";

/** The parser is large. It is loaded at the same time as the messages, so the frame of the app does not wait for it. */
const loading = import("./Markdown");
loading.catch(() => {}); // PlainTextBoundary shows the text
const Markdown = lazy(() => loading);

type Props = { text: string; isStreaming?: boolean };

/** How much of a text is shown in the first paint, in characters. The rest follows in steps that do not block. */
const FIRST_PAINT = 20_000;

/** A text in Markdown. A very long one is plain text until the reader asks for Markdown. */
export function MarkdownText({ text, isStreaming = false }: Props) {
  const [isWanted, setWanted] = useState(false);
  const isLong = text.length > LONGEST_MARKDOWN;
  if (!isLong || isWanted) return <Blocks text={text} isStreaming={isStreaming} isLong={isLong} />;
  return (
    <>
      <p className="soft">
        {t("This text is long, so it is shown without formatting.")}{" "}
        <button type="button" className="link" onClick={() => setWanted(true)}>
          {t("Show as Markdown")}
        </button>
      </p>
      <PlainText text={text} />
    </>
  );
}

/** The blocks of a text. The browser lays out only those blocks of a long text that are in view. */
function Blocks({ text, isStreaming, isLong }: { text: string; isStreaming: boolean; isLong: boolean }) {
  const blocks = useMemo(() => splitBlocks(text), [text]);
  const shown = useDeferredValue(blocks, firstOf(blocks));
  return (
    <div className={isLong ? "markdown long" : "markdown"}>
      {shown.map((block, index) => (
        <BlockView
          // biome-ignore lint/suspicious/noArrayIndexKey: a block stays at its place while the text grows
          key={index}
          {...block}
          isStreaming={isStreaming && index === blocks.length - 1}
        />
      ))}
    </div>
  );
}

function firstOf(blocks: Block[]): Block[] {
  const end = blocks.findIndex((block) => block.end > FIRST_PAINT);
  return end < 0 ? blocks : blocks.slice(0, Math.max(end, 1));
}

const BlockView = memo(function BlockView({ isStreaming, ...block }: Block & { isStreaming: boolean }) {
  if (block.kind === "code") {
    const { code, language, isClosed } = block;
    return <CodeBlock code={code} language={language} isStreaming={isStreaming && !isClosed} />;
  }
  if (isTooComplex(block.text)) return <PlainText text={block.text} />;
  return (
    <PlainTextBoundary text={block.text}>
      <Suspense fallback={<PlainText text={block.text} />}>
        <Markdown text={block.text} isStreaming={isStreaming} />
      </Suspense>
    </PlainTextBoundary>
  );
});
