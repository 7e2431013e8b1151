/** Puts the formulas back into a tree of HTML elements in the places of their placeholders (see formulas.ts). */

import type { Element, ElementContent, Root } from "hast";
import type { Formula } from "./formulas";

export const FORMULA = "x-formula";
const PLACEHOLDER = /\uE000(\d+)\uE001/g;
const IN_ADDRESS = /%EE%80%80(\d+)%EE%80%81/g;

export function rehypeFormulas(formulas: readonly Formula[]) {
  return () => (tree: Root) => {
    if (formulas.length > 0) restore(tree, formulas, false);
  };
}

function restore(parent: Root | Element, formulas: readonly Formula[], isCode: boolean): void {
  parent.children = parent.children.flatMap((child): ElementContent[] => {
    if (child.type === "text") return isCode ? [sourceOf(child.value, formulas)] : split(child.value, formulas);
    if (child.type === "element") {
      restoreProperties(child, formulas);
      restore(child, formulas, isCode || child.tagName === "code");
    }
    return [child as ElementContent];
  });
}

function restoreProperties(element: Element, formulas: readonly Formula[]): void {
  for (const [name, value] of Object.entries(element.properties)) {
    if (typeof value !== "string") continue;
    const readable = value.replace(IN_ADDRESS, (all, index) => encodeURI(formulas[Number(index)]?.source ?? all));
    element.properties[name] = sourceOf(readable, formulas).value;
  }
}

function sourceOf(value: string, formulas: readonly Formula[]): { type: "text"; value: string } {
  return { type: "text", value: value.replace(PLACEHOLDER, (all, index) => formulas[Number(index)]?.source ?? all) };
}

/** Split a text at its placeholders. The odd pieces are the numbers of formulas. */
function split(value: string, formulas: readonly Formula[]): ElementContent[] {
  if (!value.includes("\uE000")) return [{ type: "text", value }];
  return value.split(PLACEHOLDER).map((piece, index): ElementContent => {
    const formula = index % 2 ? formulas[Number(piece)] : undefined;
    if (!formula) return { type: "text", value: piece };
    return {
      type: "element",
      tagName: FORMULA,
      properties: { ...formula },
      children: [{ type: "text", value: formula.source }],
    };
  });
}
