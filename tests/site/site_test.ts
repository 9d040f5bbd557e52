/** The site, as a browser shows it: every page and link, the search, light and dark. `deno task test:site` makes it before. */

import { assert, assertEquals } from "@std/assert";
import { Browser } from "../support/browser.ts";
import { Bundle } from "../support/bundle.ts";
import { command, PROJECT, RUNTIME } from "../support/runtime.ts";

const SITE = `${PROJECT}/dist/site`;
/** Where pictures go that README shows, if they are to be made anew. */
const PICTURES = Deno.env.get("RUNTS_WRITE_PICTURES") === "1"
  ? `${PROJECT}/docs/images`
  : undefined;

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html",
  js: "text/javascript",
  png: "image/png",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

/** Serves the site on a port of this host; runs the body with its address. */
async function served(body: (address: string) => Promise<void>): Promise<void> {
  const answer = async ({ url }: Request) => {
    const path = decodeURIComponent(new URL(url).pathname).replace(/\/$/, "/index.html");
    try {
      const type = TYPES[path.split(".").at(-1)!] ?? "application/octet-stream";
      return new Response(await Deno.readFile(`${SITE}${path}`), {
        headers: { "content-type": type },
      });
    } catch {
      return new Response("not found", { status: 404 });
    }
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  try {
    await body(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

/** What a page has of links to the site, without fragments, and whether fragments lead somewhere. */
const LINKS = `[...document.querySelectorAll("a[href]")].map((a) => a.href)`;
const LOST =
  `[...document.querySelectorAll("main a[href^='#']")].map((a) => decodeURIComponent(a.hash.slice(1)))
  .filter((id) => id !== "" && document.getElementById(id) === null)`;

Deno.test("every page and link of the site leads somewhere, and to nobody else", async () => {
  await using browser = await Browser.launch();
  await served(async (address) => {
    const page = await browser.open(`${address}/`);
    const [todo, done] = [[`${address}/`], new Set<string>()];
    for (let url; (url = todo.pop()) !== undefined;) {
      if (done.has(url)) continue;
      done.add(url);
      await page.go(url);
      assertEquals(await page.evaluate(LOST), [], url);
      assert(await page.evaluate("!document.title.startsWith('404')"), url);
      const links = await page.evaluate<string[]>(LINKS);
      todo.push(
        ...links.filter((link) => link.startsWith(`${address}/`)).map((link) =>
          link.replace(/#.*/, "")
        ),
      );
    }
    assert(done.size > 15, `${done.size} pages`);
    const others = page.requests.filter((url) =>
      !/^(data:|blob:)/.test(url) && !url.startsWith(address)
    );
    assertEquals([others, page.complaints], [[], []]);
  });
});

Deno.test("the site can be searched, in light and dark", async () => {
  await using browser = await Browser.launch();
  await served(async (address) => {
    const page = await browser.open(`${address}/tutorial.html`);
    const ground = "getComputedStyle(document.body).backgroundColor";
    await page.prefer("light");
    await page.go(`${address}/tutorial.html`);
    const light = await page.evaluate(ground);
    await page.prefer("dark");
    await page.go(`${address}/tutorial.html`);
    assert(await page.evaluate(ground) !== light);
    const found = await page.evaluate<string>(`(async () => {
      const until = async (look) => {
        for (let i = 0; i < 400; i++) {
          const found = look();
          if (found) return found;
          await new Promise((resolve) => setTimeout(resolve, 25));
        }
        throw new Error("nothing comes");
      };
      (await until(() => document.querySelector(".VPNavBarSearch button"))).click();
      const input = await until(() => document.querySelector(".VPLocalSearchBox input"));
      input.value = "checkpoint";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      return (await until(() => document.querySelector(".VPLocalSearchBox .result"))).textContent;
    })()`);
    assert(found.length > 0);
  });
});

Deno.test("the picture of README is that of a trace", async () => {
  using bundle = new Bundle((config) => {
    config.hooks = { prestart: [{ path: "/bin/true" }] };
  });
  const trace = `${bundle.path}/trace.json`;
  const root = `${bundle.path}/root`;
  const run = (...args: string[]) => command([RUNTIME, "--root", root, ...args]);
  // The first one brings the cache.
  await run("run", "--bundle", bundle.path, `t${Deno.pid}-picture`);
  const made = await run("run", "--trace", trace, "--bundle", bundle.path, `t${Deno.pid}-picture`);
  assertEquals(made.code, 0, made.stderr);
  const file = `${bundle.path}/trace.html`;
  Deno.writeTextFileSync(file, (await run("trace", "--view", trace, "--html")).stdout);
  await using browser = await Browser.launch();
  const page = await browser.open(`file://${file}`, { width: 1200, height: 620 });
  const picture = await page.screenshot();
  assertEquals(
    [...picture.subarray(1, 4)].map((code) => String.fromCharCode(code)).join(""),
    "PNG",
  );
  assert(picture.length > 10_000);
  if (PICTURES === undefined) return;
  Deno.mkdirSync(PICTURES, { recursive: true });
  Deno.writeFileSync(`${PICTURES}/trace.png`, picture);
});
