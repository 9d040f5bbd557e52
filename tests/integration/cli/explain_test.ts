/** explain as a page, and between two configurations. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Browser } from "../../support/browser.ts";
import { Bundle, type Config } from "../../support/bundle.ts";
import { command, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";

const explain = (...args: string[]) => command([RUNTIME, "explain", ...args]);

function withFilter(config: Config): void {
  config.mounts.push({ destination: "/dev/shm/deep", type: "tmpfs", source: "<tmpfs>" });
  config.linux.seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mount"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }],
  };
}

Deno.test("explain --html is a page that needs nothing else", RUNTS_ONLY, async () => {
  using bundle = new Bundle(withFilter);
  const { code, stdout, stderr } = await explain("--html", "--bundle", bundle.path, "web");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const { steps } = JSON.parse((await explain("--json", "--bundle", bundle.path, "web")).stdout);
  const file = `${bundle.path}/page.html`;
  Deno.writeTextFileSync(file, stdout);
  await using browser = await Browser.launch();
  const page = await browser.open(`file://${file}`);
  assertEquals(page.requests, [`file://${file}`]);
  assertEquals(page.complaints, []);
  assertEquals(await page.evaluate("document.title"), 'What create of "web" would do');
  assertEquals(await page.evaluate("document.querySelectorAll('tr[id]').length"), steps.length);
  // Every link leads to something, and to one thing.
  const lost = await page.evaluate<string[]>(
    `[...document.links].map((a) => a.hash.slice(1))
      .filter((hash) => document.querySelectorAll("#" + CSS.escape(hash)).length !== 1)`,
  );
  assertEquals(lost, []);
  // From the step to what asks for it, and back.
  const there = await page.evaluate<string>(
    `[...document.querySelectorAll("tr")].find((row) => row.textContent.includes("/dev/shm/deep"))
      .querySelector("a").click(), document.querySelector(":target").parentElement.textContent`,
  );
  assertMatch(there, /^6 → \d+$/); // the seventh mount
  const back = await page.evaluate<string>(
    `document.querySelector(":target").parentElement.querySelector("a").click(),
      document.querySelector(":target").textContent`,
  );
  assertEquals(back.replace(/^\d+/, ""), "mounts[6]mount tmpfs on /dev/shm/deep");
  // Mounts are a tree.
  const place = await page.evaluate<string[]>(
    `[...document.querySelectorAll("#mounts + ul code")]
      .filter((code) => code.textContent === "/dev/shm/deep")
      .flatMap((code) => { const up = []; for (let at = code.closest("li"); at; at = at.parentElement.closest("li")) up.push(at.querySelector("code").textContent); return up; })`,
  );
  assertEquals(place, ["/dev/shm/deep", "/dev/shm", "/dev", "/"]);
  const filter = await page.evaluate<string>(
    "document.querySelector('#seccomp + pre').textContent",
  );
  assert(filter.includes("EPERM (operation not permitted):\n    mount\n"), filter);
});

Deno.test("explain --diff tells what changes", RUNTS_ONLY, async () => {
  using before = new Bundle();
  using after = new Bundle((config) => {
    config.process.args = ["/bin/echo", "hi"];
    config.mounts.splice(1, 0, { destination: "/a", type: "tmpfs", source: "a" });
    config.annotations = { a: "b" };
  });
  const { code, stdout, stderr } = await explain("--diff", before.path, after.path);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(
    stdout,
    `The configuration:
- process.args[0]: "/bin/true"
+ process.args[0]: "/bin/echo"
+ process.args[1]: "hi"
+ mounts[1]: {"destination":"/a","type":"tmpfs","source":"a"}
+ annotations: {"a":"b"}

To make the root filesystem, it:
+ mounts[1]        mount tmpfs on /a

In the container, it:
- process.args[0]  find program "/bin/true"
+ process.args[0]  find program "/bin/echo"
- process.args     execute "/bin/true"
+ process.args     execute "/bin/echo" "hi"
`,
  );
  assertEquals(await explain("--diff", before.path, before.path), {
    code: 0,
    stdout: "",
    stderr: "",
  });
});

Deno.test(
  "explain --diff takes configurations of one bundle, and prints JSON",
  RUNTS_ONLY,
  async () => {
    using bundle = new Bundle();
    const file = `${bundle.path}/other.json`;
    const other = structuredClone(bundle.config);
    other.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
    Deno.writeTextFileSync(file, JSON.stringify(other));
    const { stdout } = await explain("--json", "--diff", `${bundle.path}/config.json`, file);
    const { config, steps } = JSON.parse(stdout);
    assertEquals(config, [{ path: "linux.seccomp", after: '{"defaultAction":"SCMP_ACT_ALLOW"}' }]);
    assertEquals(steps.map(({ change, from }: Config) => [change, from]), [[
      "added",
      "linux.seccomp",
    ]]);
    assertEquals(await explain("--diff", file), {
      code: 1,
      stdout: "",
      stderr: "runts: explain: explain --diff needs two bundles or configurations\n",
    });
  },
);
