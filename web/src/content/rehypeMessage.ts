/** Changes the HTML elements of a block: text directions, line breaks, and raw HTML, which is shown as text. */

import type { ElementContent, Root, RootContent } from "hast";

const LINE_BREAK = /^<br\s*\/?>$/i;

/**
 * Set `dir="auto"` on each outermost element. The direction of a list or a quotation is that of its first letter, so
 * that its markers are on the right side; the paragraphs in it have their own direction (markdown.css).
 */
export function rehypeMessage() {
  return (tree: Root) => {
    tree.children = tree.children.map((child) => {
      if (child.type === "element" && child.tagName !== "pre") child.properties.dir = "auto";
      return child.type === "raw" ? paragraph(child.value) : child;
    });
    replaceLineBreaks(tree);
  };
}

function paragraph(html: string): ElementContent {
  const properties = { dir: "auto", className: ["html-source"] };
  return { type: "element", tagName: "p", properties, children: [{ type: "text", value: html }] };
}

/** Replace `<br>`, the one HTML tag that models need, in the cells of tables. */
function replaceLineBreaks(parent: { children: RootContent[] | ElementContent[] }): void {
  parent.children.forEach((child, index) => {
    if (child.type === "element") replaceLineBreaks(child);
    if (child.type !== "raw" || !LINE_BREAK.test(child.value)) return;
    parent.children[index] = { type: "element", tagName: "br", properties: {}, children: [] };
  });
}
