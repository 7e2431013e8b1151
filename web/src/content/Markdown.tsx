/** One block of Markdown as React elements. HTML in the message is shown as text. */

import { lazy, memo, Suspense, useId, useMemo } from "react";
import ReactMarkdown, { type Components, type ExtraProps } from "react-markdown";
import remarkGfm from "remark-gfm";
import remend from "remend";
import { t } from "../i18n";
import { CodeBlock } from "./CodeBlock";
import { FormulaSource } from "./FormulaSource";
import { type Formula as FormulaData, mayContainFormulas, protectFormulas } from "./formulas";
import { showHiddenCharacters, showOverrides } from "./hiddenCharacters";
import { Link } from "./Link";
import { Picture } from "./Picture";
import { FORMULA, rehypeFormulas } from "./rehypeFormulas";
import { rehypeMessage } from "./rehypeMessage";
import { languageOf, textOf } from "./tree";

type Props = { text: string; isStreaming?: boolean };
type FormulaProps = FormulaData & ExtraProps;

const Formula = lazy(() => import("./Formula"));
const REMARK_PLUGINS = [remarkGfm];
const NO_FORMULAS: FormulaData[] = [];

const Markdown = memo(function Markdown({ text, isStreaming = false }: Props) {
  const prefix = useId();
  const block = useMemo(() => prepare(text, isStreaming), [text, isStreaming]);
  const plugins = useMemo(() => [rehypeFormulas(block.formulas), rehypeMessage], [block]);
  return (
    <ReactMarkdown
      remarkPlugins={REMARK_PLUGINS}
      rehypePlugins={plugins}
      remarkRehypeOptions={{ clobberPrefix: prefix, footnoteLabel: t("Footnotes"), footnoteBackLabel: t("Back") }}
      components={COMPONENTS}
      urlTransform={keep}
    >
      {block.text}
    </ReactMarkdown>
  );
});

export default Markdown;

/** Take the formulas out of the text, and complete what is still open while the text is streaming. */
function prepare(source: string, isStreaming: boolean): { text: string; formulas: FormulaData[] } {
  const visible = showOverrides(source);
  const block = mayContainFormulas(visible)
    ? protectFormulas(visible, isStreaming)
    : { text: visible, formulas: NO_FORMULAS };
  return isStreaming ? { ...block, text: complete(block.text) } : block;
}

/** Complete Markdown that is cut off: `**bold` becomes bold at once, and a link shows its text. */
function complete(text: string): string {
  return completeTable(remend(text, { linkMode: "text-only", katex: false, comparisonOperators: false }));
}

/** Add the line below the header of a table until it has arrived, so that the header is never shown as a paragraph. */
function completeTable(text: string): string {
  const lines = text.split("\n");
  const isHeader = lines.length <= 2 && /^\|.*\S/.test(text) && /^[|:\s-]*$/.test(lines[1] ?? "");
  if (!isHeader) return text;
  const header = `${(lines[0] ?? "").trimEnd().replace(/\|$/, "")}|`;
  const columns = header.split("|").length - 2;
  return `${header}\n|${"---|".repeat(columns)}`;
}

/** Keep an address as it is. `Link` and `Picture` decide what is safe. */
function keep(address: string): string {
  return address;
}

const COMPONENTS: Components = {
  a: ({ node, href, children, ...props }) =>
    href?.startsWith("#") ? (
      <a href={href} {...props}>
        {children}
      </a>
    ) : (
      <Link address={href} text={textOf(node)}>
        {children}
      </Link>
    ),
  img: ({ src, alt }) => <Picture address={typeof src === "string" ? src : undefined} description={alt} />,
  pre: ({ node }) => <CodeBlock code={textOf(node).replace(/\n$/, "")} language={languageOf(node)} />,
  code: ({ children }) => (
    <code dir="ltr">{typeof children === "string" ? showHiddenCharacters(children) : children}</code>
  ),
  input: ({ node, ...props }) => <input {...props} aria-label={props.checked ? t("Done") : t("To do")} />,
  table: ({ node, children, ...props }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section className="table-box" aria-label={t("Table")} tabIndex={0}>
      <table {...props}>{children}</table>
    </section>
  ),
  ...({ [FORMULA]: FormulaElement } as Components),
};

function FormulaElement({ tex, source, isDisplay, isClosed }: FormulaProps) {
  const plain = <FormulaSource source={source} />;
  if (!isClosed) return plain;
  return (
    <Suspense fallback={plain}>
      <Formula tex={tex} source={source} isDisplay={isDisplay} />
    </Suspense>
  );
}
