/**
 * Makes dist/site: docs/ and a reference out of the command table and of the types, as static pages (vitepress).
 *
 *     deno task site
 */

import { join } from "@std/path";
import { DIST, exists, ROOT } from "./support/paths.ts";
import { fail, run } from "./support/run.ts";
import { commandReference, libraryReference } from "./site/reference.ts";

const WORK = join(DIST, "site-work");
const SITE = join(DIST, "site");
/** Where what is not on the site can be read. */
const REPOSITORY = "https://github.com/runts/runts/blob/main";

/** The pages by what they are for, in the order of the menu. */
const GROUPS: readonly (readonly [title: string, pages: readonly (readonly [string, string])[]])[] =
  [
    ["Learn", [["tutorial", "Tutorial"], ["install", "Install"]]],
    ["How to", [
      ["clients", "Under podman, containerd, Docker, buildah"],
      ["supervision", "Supervise containers"],
      ["rootless", "Without root"],
      ["checkpoint", "Checkpoint and restore"],
      ["library", "From TypeScript"],
      ["lxc", "Configurations of LXC"],
    ]],
    ["Reference", [
      ["reference/commands", "Commands"],
      ["reference/library", "Library"],
      ["compatibility", "Compatibility"],
      ["cgroups", "Limits and kernels"],
      ["changelog", "Changelog"],
      ["releases", "Releases"],
    ]],
    ["Explanation", [
      ["architecture", "Architecture"],
      ["security", "Security"],
      ["performance", "Performance"],
      ["warm", "The warm brain"],
      ["shim", "The shim of containerd"],
      ["development", "Development"],
    ]],
  ];

/** Links of a page that lead out of docs/: to what is on the site as well, else to the repository. */
function relinked(text: string): string {
  return text.replaceAll(/\]\(\.\.\/([^)]+)\)/g, (_, path: string) => {
    if (path === "CHANGELOG.md") return "](changelog.md)";
    return path === "README.md" ? "](index.md)" : `](${REPOSITORY}/${path})`;
  });
}

/** Puts the pages where vitepress looks for them. */
async function layOut(): Promise<void> {
  await Deno.mkdir(join(WORK, ".vitepress"), { recursive: true });
  await Deno.mkdir(join(WORK, "reference"), { recursive: true });
  const put = (path: string, text: string) => Deno.writeTextFile(join(WORK, path), text);
  const read = (path: string) => Deno.readTextFile(join(ROOT, path));
  const listed = GROUPS.flatMap(([, pages]) => pages.map(([path]) => `${path}.md`));
  for await (const { name } of Deno.readDir(join(ROOT, "docs"))) {
    if (!name.endsWith(".md")) continue;
    if (!listed.includes(name)) throw new Error(`docs/${name} is in no group of the menu`);
    await put(name, relinked(await read(`docs/${name}`)));
  }
  if (await exists(join(ROOT, "docs/images"))) {
    await run("cp", ["-r", join(ROOT, "docs/images"), join(WORK, "images")]);
  }
  await put("changelog.md", relinked((await read("CHANGELOG.md")).replaceAll("](docs/", "](")));
  await put("index.md", await read("site/index.md"));
  await put("reference/commands.md", await commandReference());
  await put("reference/library.md", await libraryReference());
  for (const name of ["package.json", "package-lock.json"]) {
    await put(name, await read(`site/${name}`));
  }
  await put(".vitepress/config.js", await read("site/config.js"));
  const groups = GROUPS.map(([title, pages]) => ({
    title,
    entries: pages.map(([path, name]) => ({ path, name })),
  }));
  await put(".vitepress/pages.json", JSON.stringify({ groups }));
}

async function site(): Promise<void> {
  // What was installed before stays.
  for (const name of ["reference", "images", ".vitepress"]) {
    await Deno.remove(join(WORK, name), { recursive: true }).catch(() => {});
  }
  await layOut();
  if (!await exists(join(WORK, "node_modules/vitepress"))) {
    await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: WORK });
  }
  await run("npx", ["vitepress", "build", "--outDir", SITE], { cwd: WORK });
}

if (import.meta.main) await site().catch((error) => fail(error.message));
