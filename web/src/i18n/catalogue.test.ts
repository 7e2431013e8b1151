import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import german from "./de.json";

const SOURCES = join(import.meta.dirname, "..");
const CALL = /\bt\(\s*"((?:[^"\\]|\\.)+)"/g;

function keysInUse(): Set<string> {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));
  const texts = files
    .filter((name) => !name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(SOURCES, name), "utf8"));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(CALL)].map((match) => JSON.parse(`"${match[1]}"`) as string)),
  );
}

/** Return the key without the ending that i18next adds for a singular or a plural. */
function withoutPlural(key: string): string {
  return key.replace(/_(one|other)$/, "");
}

describe("the German catalogue", () => {
  const used = keysInUse();
  const translated = new Set(Object.keys(german).map(withoutPlural));

  it("has each text that the code uses", () => {
    expect([...used].filter((key) => !translated.has(withoutPlural(key)))).toEqual([]);
  });

  it("has no text that the code does not use", () => {
    expect([...translated].filter((key) => !used.has(key))).toEqual([]);
  });

  it("fills the same placeholders as the English texts", () => {
    const placeholders = (text: string) => (text.match(/{{\w+}}/g) ?? []).sort();
    const differing = Object.entries(german).filter(
      ([key, text]) => placeholders(withoutPlural(key)).join() !== placeholders(text).join(),
    );
    expect(differing).toEqual([]);
  });
});
