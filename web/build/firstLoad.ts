/** A plugin of Vite that limits the JavaScript that a browser loads before it shows the first page. */

import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** Let the build fail if the entry and what it imports at once have more than `limit` bytes, compressed with gzip. */
export function limitFirstLoad(limit: number): Plugin {
  return {
    name: "limit-first-load",
    apply: "build",
    generateBundle(_, bundle) {
      const sizes = firstLoad(bundle).map((chunk) => ({ name: chunk.fileName, size: gzipSync(chunk.code).length }));
      const total = sizes.reduce((sum, { size }) => sum + size, 0);
      const summary = `JavaScript of the first load: ${kilobytes(total)} of ${kilobytes(limit)} with gzip`;
      if (total > limit) {
        this.error(`${summary}: ${sizes.map(({ name, size }) => `${name} ${kilobytes(size)}`).join(", ")}`);
      }
      this.info(summary);
    },
  };
}

/** Return the entries, and the chunks that they import before they run, each once. */
export function firstLoad(bundle: Rolldown.OutputBundle): Rolldown.OutputChunk[] {
  const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
  const loaded = new Set(chunks.filter((chunk) => chunk.isEntry));
  for (const chunk of loaded) {
    for (const imported of chunks.filter(({ fileName }) => chunk.imports.includes(fileName))) loaded.add(imported);
  }
  return [...loaded];
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
