import { describe, expect, it } from "vitest";
import { splitBlocks } from "./blocks";

function texts(text: string): string[] {
  return splitBlocks(text).map((block) => (block.kind === "code" ? `${block.language}: ${block.code}` : block.text));
}

describe("splitting Markdown into blocks", () => {
  it("splits at blank lines", () => {
    expect(texts("# Title\n\nOne\ntwo\n\n\n> three\n")).toEqual(["# Title", "One\ntwo", "> three"]);
  });

  it("keeps a list together, also with blank lines and a sentence before it", () => {
    const list = "Steps:\n1. one\n\n   more\n\n2. two\n   - nested\n\n3. three";
    expect(texts(`${list}\n\nEnd`)).toEqual([list, "End"]);
  });

  it("starts a block at another kind of list", () => {
    expect(texts("- a\n\n1. b")).toEqual(["- a", "1. b"]);
  });

  it("takes fenced code out of the paragraphs around it", () => {
    expect(texts("Run:\n```sh\nls\n\ncd\n```\nDone")).toEqual(["Run:", "sh: ls\n\ncd", "Done"]);
  });

  it("closes a fence only by a fence that is as long", () => {
    expect(texts("````md\n```js\n1\n```\n````")).toEqual(["md: ```js\n1\n```"]);
    expect(texts("~~~\n```\n~~~")).toEqual([": ```"]);
  });

  it("knows whether a fence is closed", () => {
    const isClosed = (text: string) => splitBlocks(text).map((block) => block.kind === "code" && block.isClosed);
    expect(isClosed("```js\n1")).toEqual([false]);
    expect(isClosed("```js\n1\n```")).toEqual([true]);
    expect(isClosed("```")).toEqual([false]);
  });

  it("keeps code inside a list item with the list", () => {
    const list = "1. one\n\n   ```sh\n   ls\n\n   cd\n   ```\n\n2. two";
    expect(texts(list)).toEqual([list]);
    const fenceOnTheLineOfTheItem = "- ```js\n  1\n\n  2\n  ```\n- two";
    expect(texts(fenceOnTheLineOfTheItem)).toEqual([fenceOnTheLineOfTheItem]);
  });

  it("goes on after a fence in a list item that is never closed", () => {
    expect(texts("- ```js\n  1\n\nText\n\nMore")).toEqual(["- ```js\n  1", "Text", "More"]);
  });

  it("starts a block at a heading", () => {
    expect(texts("a\n# b\nc\n## d")).toEqual(["a", "# b\nc", "## d"]);
  });

  it("splits a long list at its items, unless all have the same number", () => {
    const item = "word ".repeat(100);
    const list = (marks: string[]) => marks.map((mark) => `${mark} ${item}`).join("\n");
    expect(splitBlocks(list(Array(20).fill("-"))).length).toBeGreaterThan(3);
    expect(splitBlocks(list([..."123456789"].map((digit) => `${digit}.`))).length).toBeGreaterThan(1);
    expect(splitBlocks(list(Array(20).fill("1.")))).toHaveLength(1);
  });

  it("gives each block the definitions of its links", () => {
    expect(texts("See [a] and [B  c].\n\nSee [B c]\n\n[a]: https://a.example\n\n[b c]: https://b.example")).toEqual([
      "See [a] and [B  c].\n\n[a]: https://a.example\n[b c]: https://b.example",
      "See [B c]\n\n[b c]: https://b.example",
      "[a]: https://a.example\n\n[a]: https://a.example",
      "[b c]: https://b.example\n\n[b c]: https://b.example",
    ]);
  });

  it("copies no more of the definitions than the longest text has", () => {
    const definition = `[a]: https://a.example/${"x".repeat(10_000)}`;
    const copied = splitBlocks(`${"[a]\n\n".repeat(5_000)}${definition}`).map((block) =>
      "text" in block ? block.text : "",
    );
    expect(copied.join("").length).toBeLessThan(250_000);
  });

  it("does not split a text with footnotes", () => {
    expect(splitBlocks("One[^1]\n\ntwo\n\n[^1]: note")).toHaveLength(1);
  });

  it("keeps the blocks before the last one unchanged while a text grows", () => {
    const text = "# T\n\nText **bold**\n\n- a\n- b\n\n  c\n\n```js\n1\n\n2\n```\n\n| a |\n|---|\n| b |\n\nEnd";
    for (let length = 1; length < text.length; length++) {
      const before = texts(text.slice(0, length)).slice(0, -1);
      expect(texts(text.slice(0, length + 1)).slice(0, before.length)).toEqual(before);
    }
  });

  it("covers the whole text in order", () => {
    const text = "a\n\n```\nb\n```\n\n- c\n\nd";
    const blocks = splitBlocks(text);
    expect(blocks.map(({ start, end }) => text.slice(start, end).trim())).toEqual(["a", "```\nb\n```", "- c", "d"]);
  });
});
