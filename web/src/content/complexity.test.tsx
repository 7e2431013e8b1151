import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { splitBlocks } from "./blocks";
import { isTooComplex } from "./complexity";
import Markdown from "./Markdown";

function isPlain(text: string): boolean {
  return splitBlocks(text).every((block) => block.kind === "markdown" && isTooComplex(block.text));
}

describe("hostile Markdown", () => {
  it.each([
    ["nested quotations", ">".repeat(10_000)],
    ["nested lists", "- ".repeat(10_000)],
    [
      "lists that are nested by their indentation",
      Array.from({ length: 200 }, (_, i) => `${" ".repeat(2 * i)}- a`).join("\n"),
    ],
    ["open brackets", "[".repeat(10_000)],
    ["open comments", "<!--".repeat(10_000)],
    ["emphasis that is never closed", "**a*".repeat(10_000)],
    ["addresses of sites", "www.a.b ".repeat(1_000)],
    ["a paragraph without end", "word ".repeat(10_000)],
    ["headings without blank lines", "a\n=\n".repeat(10_000)],
  ])("is plain text: %s", (_, text) => {
    expect(isPlain(text)).toBe(true);
  });

  it.each([
    ["a long list", "- an item with **bold** words\n".repeat(2_000)],
    ["a table", `| a | b |\n|---|---|\n${"| 1 | **2** |\n".repeat(100)}`],
    ["a long paragraph", "A sentence with `code`. ".repeat(100)],
  ])("is not %s", (_, text) => {
    expect(splitBlocks(text).some((block) => block.kind === "markdown" && isTooComplex(block.text))).toBe(false);
  });
});

describe("a block of Markdown", () => {
  const html = (text: string, isStreaming = false) =>
    renderToStaticMarkup(<Markdown text={text} isStreaming={isStreaming} />);

  it("shows HTML as text", () => {
    expect(html("<script>alert(1)</script>")).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html("a <img src=x onerror=alert(1)> b")).toContain("&lt;img src=x onerror=alert(1)&gt;");
  });

  it("breaks lines in the cells of tables", () => {
    expect(html("| a |\n|---|\n| 1<br>2 |")).toContain("1<br/>2");
  });

  it("makes no links of scripts and of addresses in chatstore", () => {
    expect(html("[a](javascript:alert(1)) [b](/accounts/logout/) <javascript:alert(1)>")).not.toContain("<a");
  });

  it("opens links in a new tab and tells the other site nothing", () => {
    expect(html("[a](https://a.example)")).toContain('target="_blank" rel="noopener noreferrer nofollow"');
  });

  it("loads no picture from another site", () => {
    expect(html("![a](https://a.example/b.png)")).not.toContain("<img");
  });

  it("keeps the source of formulas in code", () => {
    expect(html("`$x$` and $y$ and [a](https://a.example/$z$)")).toContain('<code dir="ltr">$x$</code>');
    expect(html("[a](https://a.example/$z$)")).toContain('href="https://a.example/$z$"');
  });

  it("names the characters that change the direction of code", () => {
    expect(html("`a\u202Eb`")).toContain("a[U+202E]b");
  });

  it("completes what is open while it is streaming", () => {
    expect(html("Some **bold", true)).toContain("<strong>bold</strong>");
    expect(html("| a | b |", true)).toContain("<th>a</th>");
    expect(html("| a | b |\n|--", true)).toContain("<th>b</th>");
    expect(html("See [the site](https://a.exa", true)).toContain("See the site");
  });
});
