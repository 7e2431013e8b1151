/** Compare dist/ with what the sources build now, and fail if they differ. `make check-web` runs this. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { build } from "vite";

const DIST = join(import.meta.dirname, "..", "dist");

/** Return the content of a file. Two versions of zlib compress the same content to different bytes.
 * @param {string} name
 * @param {Uint8Array} bytes
 */
function decompressed(name, bytes) {
  if (name.endsWith(".gz")) return gunzipSync(bytes);
  return name.endsWith(".br") ? brotliDecompressSync(bytes) : Buffer.from(bytes);
}

/** @returns {Map<string, Buffer>} the committed files by name */
function committedFiles() {
  const names = existsSync(DIST) ? readdirSync(DIST) : [];
  return new Map(names.map((name) => [name, decompressed(name, readFileSync(join(DIST, name)))]));
}

/** @returns {Promise<Map<string, Buffer>>} the files by name; none is written */
async function builtFiles() {
  const built = await build({ logLevel: "warn", build: { write: false } });
  const { output } = /** @type {import("vite").Rolldown.RolldownOutput} */ (built);
  return new Map(
    output.map((file) => [
      file.fileName,
      decompressed(file.fileName, Buffer.from(file.type === "chunk" ? file.code : file.source)),
    ]),
  );
}

const [committed, built] = [committedFiles(), await builtFiles()];
const names = new Set([...committed.keys(), ...built.keys()]);
const differing = [...names].filter((name) => !built.get(name)?.equals(committed.get(name) ?? Buffer.alloc(0))).sort();
if (differing.length) {
  console.error(`web/dist is not what web/src builds. Files that differ: ${differing.slice(0, 5).join(", ")}.`);
  console.error("Run make web, and commit web/dist.");
  process.exit(1);
}
