import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { compression } from "vite-plugin-compression2";
import { defineConfig } from "vitest/config";
import { limitFirstLoad } from "./build/firstLoad.ts";

const SERVER = "http://localhost:8000"; // `make run`

/** Leave out the fonts of KaTeX in older formats. All browsers that run the app read WOFF2. */
function onlyWoff2(): Plugin {
  return {
    name: "only-woff2",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("katex.min.css")) return null;
      return code.replace(/,url\([^)]+\.(woff|ttf)\) format\("\w+"\)/g, "");
    },
  };
}

export default defineConfig({
  // Django serves dist/ under this address, and app.html as the template of every page of the app.
  base: "/static/app/",
  plugins: [
    react(),
    onlyWoff2(),
    // WhiteNoise serves these files to the browsers that accept them.
    compression({ algorithms: ["gzip", "brotliCompress"], include: /\.(js|css|svg|json)$/, threshold: 1000 }),
    limitFirstLoad(250_000),
  ],
  build: {
    assetsInlineLimit: 0, // the content security policy allows no data: URLs for scripts, styles and fonts
    assetsDir: "",
    modulePreload: { polyfill: false },
    rollupOptions: { input: "app.html", checks: { bundlerTimings: false } },
  },
  // `npm run dev` sends these paths to chatstore.
  server: {
    proxy: Object.fromEntries(["/api", "/accounts", "/_allauth", "/static/chatstore"].map((path) => [path, SERVER])),
  },
  test: { environment: "node", include: ["{src,build}/**/*.test.{ts,tsx}"] },
});
