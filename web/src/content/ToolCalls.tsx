import { t } from "../i18n";
import { CodeBlock } from "./CodeBlock";
import { Fold } from "./Fold";
import { PlainText } from "./PlainText";
import { isJson, prettyJson, readToolCalls } from "./toolCalls";

/** The tools that a model calls, each with its arguments. The results are messages of their own. */
export function ToolCalls({ calls }: { calls: unknown }) {
  return readToolCalls(calls).map(({ name, input }, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: calls never move
    <Fold key={index} title={<Title label={t("Tool call")} name={name} />}>
      <CodeBlock code={input} language={isJson(input) ? "json" : ""} />
    </Fold>
  ));
}

/** The result of a tool. */
export function ToolResult({ name, content }: { name: string; content: string }) {
  const text = prettyJson(content);
  return (
    <Fold title={<Title label={t("Tool result")} name={name} />}>
      {isJson(text) ? <CodeBlock code={text} language="json" /> : <PlainText text={text} />}
    </Fold>
  );
}

function Title({ label, name }: { label: string; name: string }) {
  return (
    <>
      {label} {name && <code dir="auto">{name}</code>}
    </>
  );
}
