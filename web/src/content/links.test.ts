import { describe, expect, it } from "vitest";
import { isEmbeddedPicture, isRemotePicture, otherHost, safeLink, splitAddresses } from "./links";

describe("links", () => {
  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>1</script>",
    "vbscript:x",
    "//evil.example",
    "/accounts/logout/",
    "readme.md",
    "https://",
    "",
  ])("refuse %j", (address) => {
    expect(safeLink(address)).toBeNull();
  });

  it.each(["https://a.example/b?c#d", "HTTP://a.example", "mailto:a@b.example"])("allow %j", (address) => {
    expect(safeLink(address)).toBe(address);
  });

  it("name the host if their text names another one", () => {
    expect(otherHost("bank.example", "https://evil.example/x")).toBe("evil.example");
    expect(otherHost("https://bank.example/login", "https://evil.example")).toBe("evil.example");
    expect(otherHost("bank.example", "https://www.bank.example/")).toBeNull();
    expect(otherHost("the documentation", "https://a.example")).toBeNull();
    expect(otherHost("setup.py", "https://a.example")).toBeNull();
  });

  it.each([
    "bank.example.",
    "(bank.example)",
    "Sign in at bank.example",
    "https://docs.rs",
    "https://bank.example@evil.example",
    "http:\\\\bank.example",
    "ban\u200bk.example",
    "b\u0430nk.example", // a Cyrillic letter
    "bank。example",
    "ｂａｎｋ.example",
  ])("name the host beside the text %j", (text) => {
    expect(otherHost(text, "https://evil.example")).toBe("evil.example");
  });

  it.each([
    ["https://a.example/b/index.html?u=c.example", "https://a.example/b/index.html?u=c.example"],
    ["https://münchen.example", "https://xn--mnchen-3ya.example"],
    ["a.example:8000/b", "http://a.example:8000/b"],
    ["Version 1.2 of the tool", "https://a.example"],
  ])("do not name the host beside the text %j", (text, address) => {
    expect(otherHost(text, address)).toBeNull();
  });

  it("are found in plain text, without the punctuation after them", () => {
    expect(splitAddresses("See https://a.example/b). And http://c.example")).toEqual([
      { text: "See ", address: null },
      { text: "https://a.example/b", address: "https://a.example/b" },
      { text: "). And ", address: null },
      { text: "http://c.example", address: "http://c.example" },
    ]);
    expect(splitAddresses("https://a.example/))x))")).toEqual([
      { text: "https://a.example/))x", address: "https://a.example/))x" },
      { text: "))", address: null },
    ]);
    expect(splitAddresses("javascript:alert(1)")).toEqual([{ text: "javascript:alert(1)", address: null }]);
  });
});

describe("pictures", () => {
  it("are shown at once only if they are in the message", () => {
    expect(isEmbeddedPicture("data:image/png;base64,AAAA")).toBe(true);
    expect(isEmbeddedPicture("data:image/svg+xml;base64,AAAA")).toBe(false);
    expect(isEmbeddedPicture("https://a.example/b.png")).toBe(false);
  });

  it("can be loaded over HTTPS only", () => {
    expect(isRemotePicture("https://a.example/b.png")).toBe(true);
    expect(isRemotePicture("http://a.example/b.png")).toBe(false);
    expect(isRemotePicture("/api/v1/me/")).toBe(false);
  });
});
