/** Draws a formula with KaTeX. This file is loaded with the first formula that is shown. */

import katex from "katex";
import { useLayoutEffect, useMemo, useRef } from "react";
import { FormulaSource } from "./FormulaSource";
import "katex/dist/katex.min.css";

type Props = { tex: string; source: string; isDisplay: boolean };

/** Bounds: the number of expansions of macros, and the size of a rule or a space in em. */
const OPTIONS = { maxExpand: 200, maxSize: 20, trust: false, strict: "ignore" } as const;
/** A formula that defines macros can multiply its length by the number of expansions. */
const DEFINITION = /\\([gex]?def|let|futurelet|(re)?newcommand|providecommand|global)(?![a-zA-Z])/;
const LONGEST_WITH_DEFINITIONS = 500;

export default function Formula({ tex, source, isDisplay }: Props) {
  const ref = useRef<HTMLSpanElement>(null);
  const drawing = useMemo(() => draw(tex, isDisplay), [tex, isDisplay]);
  useLayoutEffect(() => {
    if (drawing) ref.current?.replaceChildren(drawing);
  }, [drawing]);
  if (!drawing) return <FormulaSource source={source} />;
  return <span ref={ref} className={isDisplay ? "formula display" : "formula"} dir="ltr" />;
}

/**
 * Draw a formula outside the document. Return null if it has an error.
 *
 * KaTeX sets styles through the DOM here. A string of HTML with `style="…"` would violate the content security policy.
 */
function draw(tex: string, displayMode: boolean): HTMLElement | null {
  if (tex.length > LONGEST_WITH_DEFINITIONS && DEFINITION.test(tex)) return null;
  const element = document.createElement("span");
  try {
    katex.render(tex, element, { ...OPTIONS, displayMode });
    return element;
  } catch {
    return null; // also a RangeError, for a formula that is nested too deeply
  }
}
