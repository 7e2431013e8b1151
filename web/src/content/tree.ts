/** Reads trees of HTML elements. */

import type { ElementContent } from "hast";

type Parent = { children: ElementContent[] };

/** Return the text in an element. */
export function textOf(parent: Parent | undefined): string {
  return (parent?.children ?? [])
    .map((child) => (child.type === "text" ? child.value : child.type === "element" ? textOf(child) : ""))
    .join("");
}

/** Return the language of the code in a `pre` element; empty if it has none. */
export function languageOf(pre: Parent | undefined): string {
  const [code] = pre?.children ?? [];
  const classes = code?.type === "element" ? code.properties.className : [];
  const name = Array.isArray(classes) ? classes.find((name) => String(name).startsWith("language-")) : undefined;
  return String(name ?? "").slice("language-".length);
}
