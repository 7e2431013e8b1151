import { t } from "../i18n";
import { CodeBlock } from "./CodeBlock";
import { FilePart } from "./FilePart";
import { Fold } from "./Fold";
import { MarkdownText } from "./MarkdownText";
import { Picture } from "./Picture";
import { PlainText } from "./PlainText";
import { type Piece, readParts } from "./parts";
import { prettyJson } from "./toolCalls";

/** The structured content of a message. */
export function Parts({ parts, content, isPlain }: { parts: unknown; content: string; isPlain: boolean }) {
  return readParts(parts, content).map((piece, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts have no identity, and never move
    <PieceView key={index} piece={piece} isPlain={isPlain} />
  ));
}

function PieceView({ piece, isPlain }: { piece: Piece; isPlain: boolean }) {
  switch (piece.kind) {
    case "text":
      return isPlain ? <PlainText text={piece.text} /> : <MarkdownText text={piece.text} />;
    case "refusal":
      return <Refusal text={piece.text} />;
    case "reasoning":
      return (
        <Fold title={t("Reasoning")}>
          <MarkdownText text={piece.text} />
        </Fold>
      );
    case "picture":
      return (
        <p className="picture">
          <Picture address={piece.address} description={piece.description} />
        </p>
      );
    case "file":
      return <FilePart name={piece.name} data={piece.data} />;
    case "json":
      return (
        <Fold title={piece.name}>
          <CodeBlock code={prettyJson(piece.value)} language="json" />
        </Fold>
      );
  }
}

function Refusal({ text }: { text: string }) {
  return (
    <div className="refusal">
      <strong>{t("The model declined to answer")}</strong>
      <PlainText text={text} />
    </div>
  );
}
