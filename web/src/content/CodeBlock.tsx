import { startTransition, useEffect, useState } from "react";
import { t } from "../i18n";
import { CopyButton } from "./CopyButton";
import { showHiddenCharacters } from "./hiddenCharacters";
import { highlight, type Token } from "./highlight";
import "./code.css";

type Props = { code: string; language: string; isStreaming?: boolean };

/** A block of code with its language, a button that copies it, and colours once it is complete. */
export function CodeBlock({ code, language, isStreaming = false }: Props) {
  const tokens = useTokens(code, language, isStreaming);
  return (
    <figure className="code-block" dir="ltr">
      <figcaption>
        <span>{language || t("Code")}</span>
        <CopyButton text={code} label={t("Copy code")} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{tokens ? renderTokens(tokens) : showHiddenCharacters(code)}</code>
      </pre>
    </figure>
  );
}

function useTokens(code: string, language: string, isStreaming: boolean): Token[] | null {
  const [result, setResult] = useState<{ code: string; tokens: Token[] | null } | null>(null);
  useEffect(() => {
    if (isStreaming || !language) return;
    let isCurrent = true;
    void highlight(language, code).then((tokens) => {
      if (isCurrent) startTransition(() => setResult({ code, tokens }));
    });
    return () => {
      isCurrent = false;
    };
  }, [code, language, isStreaming]);
  return result?.code === code ? result.tokens : null;
}

function renderTokens(tokens: readonly Token[]) {
  return tokens.map((token, index) => {
    if (typeof token === "string") return showHiddenCharacters(token);
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity, and never move
      <span key={index} className={token.className}>
        {renderTokens(token.children)}
      </span>
    );
  });
}
