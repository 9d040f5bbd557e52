/** The site: tools/site.ts puts this beside the pages, and vitepress makes HTML of them. */

import { defineConfig } from "vitepress";
import pages from "./pages.json" with { type: "json" };

export default defineConfig({
  title: "runts",
  description: "An OCI container runtime in TypeScript",
  lang: "en",
  cleanUrls: false,
  // Reading it asks no other host for anything.
  head: [["meta", {
    "http-equiv": "Content-Security-Policy",
    content: "default-src 'self' 'unsafe-inline' data:",
  }]],
  markdown: { theme: { light: "github-light", dark: "github-dark" } },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Tutorial", link: "/tutorial" },
      { text: "Commands", link: "/reference/commands" },
    ],
    sidebar: pages.groups.map(({ title, entries }) => ({
      text: title,
      items: entries.map(({ name, path }) => ({ text: name, link: `/${path}` })),
    })),
  },
});
