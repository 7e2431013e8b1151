import { build, type Plugin } from "vite";
import { describe, expect, it } from "vitest";
import { limitFirstLoad } from "./firstLoad";

const MODULES: Record<string, string> = {
  entry: `import "at-once"; import("on-demand"); console.log("entry");`,
  other: `import "at-once";`, // so that `at-once` becomes a chunk of its own
  "at-once": `console.log("${"once".repeat(10)}");`,
  "on-demand": `console.log(${JSON.stringify(Array.from({ length: 5_000 }, (_, number) => number * 7919))});`,
};

const modules: Plugin = {
  name: "modules",
  resolveId: (id) => (id in MODULES ? id : null),
  load: (id) => MODULES[id] ?? null,
};

async function buildWith(limit: number): Promise<void> {
  await build({
    configFile: false,
    logLevel: "silent",
    plugins: [modules, limitFirstLoad(limit)],
    build: { write: false, rollupOptions: { input: ["entry", "other"] } },
  });
}

describe("the limit of the first load", () => {
  it("does not count what is loaded on demand", async () => {
    await expect(buildWith(5_000)).resolves.toBeUndefined();
  });

  it("stops the build and names each file that is loaded at once", async () => {
    const message = /first load: 1\.\d kB of 0\.5 kB with gzip: (?=.*entry-.* kB)(?=.*at-once-.* kB)(?!.*on-demand)/;
    await expect(buildWith(500)).rejects.toThrow(message);
  });
});
