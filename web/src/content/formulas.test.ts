import { describe, expect, it } from "vitest";
import { protectFormulas } from "./formulas";

function formulas(text: string): string[] {
  return protectFormulas(text).formulas.map(({ tex }) => tex);
}

describe("finding formulas", () => {
  it.each([
    ["Let $x^2$ be", ["x^2"]],
    ["$x$-axis, $n$th, ($y$)", ["x", "n", "y"]],
    ["**$E = mc^2$** and \\(a_b\\)", ["E = mc^2", "a_b"]],
    ["$$\\begin{aligned}\na &= b \\\\\n- c\n\\end{aligned}$$", ["\\begin{aligned}\na &= b \\\\\n- c\n\\end{aligned}"]],
    ["\\[\nx = 1\n\\]", ["\nx = 1\n"]],
    ["> \\[\n> x = 1\n> \\]", ["\nx = 1\n"]],
    ["| $|x|$ | $2$ |", ["|x|", "2"]],
    ["$\\text{\\$5}$", ["\\text{\\$5}"]],
  ])("finds them in %j", (text, expected) => {
    expect(formulas(text)).toEqual(expected);
  });

  it.each([
    "It costs $5 and $10.",
    "It costs $5, or $10-$20",
    "between $1,000 and 2,000$ a month",
    "from $5 to 10$ each",
    "US$5 to US$6",
    "export PATH=$HOME/bin:$PATH",
    "\\$x\\$",
    "`$x$` and ``a ` $y$``",
    "```\n$x$\n```",
    "~~~\n$$x$$\n~~~",
    "an open $x",
    "$$",
    "$ x $",
    "See \\[citation needed\\] here",
    "\\(open",
    "$a\n\nb$",
  ])("finds none in %j", (text) => {
    expect(formulas(text)).toEqual([]);
  });

  it("knows formulas that stand on their own lines", () => {
    expect(protectFormulas("$$x$$ $y$ \\[z=1\\] \\(w\\)").formulas.map(({ isDisplay }) => isDisplay)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it("takes an open formula out of a text that is streaming", () => {
    const { text, formulas } = protectFormulas("So\n$$\nx_1 + x_", true);
    expect(text).toBe("So\n\uE0000\uE001");
    expect(formulas).toMatchObject([{ isClosed: false, source: "$$\nx_1 + x_" }]);
    expect(protectFormulas("So\n$$\nx_1 + x_").formulas).toEqual([]);
  });
});
