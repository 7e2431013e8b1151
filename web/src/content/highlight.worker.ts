/** Highlights code in a thread of its own, so that a slow grammar cannot freeze the page. */

import { common, createLowlight } from "lowlight";

export type Token = string | { className: string; children: Token[] };
export type Request = { id: number; language: string; code: string };
export type Answer = { id: number; tokens: Token[] | null };

type Node = ReturnType<typeof lowlight.highlight>["children"][number];

const lowlight = createLowlight(common);

self.onmessage = ({ data: { id, language, code } }: MessageEvent<Request>) => {
  const tokens = lowlight.registered(language)
    ? lowlight
        .highlight(language, code)
        .children.map(toToken)
        .filter((token) => token !== null)
    : null;
  self.postMessage({ id, tokens } satisfies Answer);
};

function toToken(node: Node): Token | null {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return null;
  const className = (node.properties.className as string[]).join(" ");
  const children = node.children.map((child) => toToken(child as Node)).filter((token) => token !== null);
  return { className, children };
}
