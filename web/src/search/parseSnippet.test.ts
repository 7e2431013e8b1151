import { describe, expect, it } from "vitest";
import { parseSnippet, shorten } from "./parseSnippet";

const textOf = (html: string) =>
  parseSnippet(html)
    .map((piece) => piece.text)
    .join("");

describe("a snippet", () => {
  it("is split at its marks", () => {
    expect(parseSnippet("Where should I <mark>stay</mark> in Lisbon?")).toEqual([
      { text: "Where should I ", isMarked: false },
      { text: "stay", isMarked: true },
      { text: " in Lisbon?", isMarked: false },
    ]);
  });

  it("can begin and end with a mark", () => {
    expect(parseSnippet("<mark>a</mark><mark>b</mark>")).toEqual([
      { text: "a", isMarked: true },
      { text: "b", isMarked: true },
    ]);
  });

  it("can be empty", () => {
    expect(parseSnippet("")).toEqual([]);
  });

  it("gets back the characters that the API escapes", () => {
    expect(textOf("&lt;b&gt; &amp; &quot;c&quot; &#x27;d&#x27;")).toBe(`<b> & "c" 'd'`);
  });

  it("is unescaped once only", () => {
    expect(textOf("&amp;lt;script&amp;gt; &amp;amp;")).toBe("&lt;script&gt; &amp;");
  });

  it("shows a mark that a user typed as text", () => {
    expect(parseSnippet("&lt;mark&gt;not a match&lt;/mark&gt;")).toEqual([
      { text: "<mark>not a match</mark>", isMarked: false },
    ]);
  });

  it.each([
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '<mark onclick="alert(1)">',
    "<MARK>",
    "</ mark>",
    "<svg/onload=alert(1)>",
    "&unknown; &#60;script&#62;",
  ])("keeps markup that is not a mark as text: %s", (hostile) => {
    expect(parseSnippet(hostile)).toEqual([{ text: hostile, isMarked: false }]);
  });

  it("bears marks that are not closed or not opened", () => {
    expect(parseSnippet("a</mark>b<mark>c")).toEqual([
      { text: "a", isMarked: false },
      { text: "b", isMarked: false },
      { text: "c", isMarked: true },
    ]);
  });
});

describe("a snippet for a single line", () => {
  const short = (html: string) =>
    shorten(parseSnippet(html))
      .map((piece) => piece.text)
      .join("");

  it("begins with a whole word shortly before the first mark", () => {
    expect(short("The quick brown fox jumps over the lazy dog and <mark>stays</mark> there")).toBe(
      "…over the lazy dog and stays there",
    );
  });

  it("stays as it is if the mark is near, or missing", () => {
    expect(short("Where should I <mark>stay</mark>?")).toBe("Where should I stay?");
    expect(short("A text without any mark that is rather long")).toBe("A text without any mark that is rather long");
    expect(short("")).toBe("");
  });
});
