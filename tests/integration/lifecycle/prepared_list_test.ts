/** `list` without Deno says what Deno says; whatever takes more than records goes to Deno. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { idle, tell, tellCold } from "../../support/cold.ts";
import { runtimeTest, type TestRuntime } from "../../support/host.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";

const FORMS: readonly string[][] = [
  [],
  ["--quiet"],
  ["-q", "--format", "json"],
  ["--format=json"],
  ["-f", "json"],
  ["-f", "table"],
];

/** All forms of it are what Deno prints, and done without Deno unless `cold`. */
async function assertLists(runtime: TestRuntime, cold: boolean): Promise<void> {
  for (const form of FORMS) {
    const line = ["--root", runtime.root, "list", ...form];
    const wanted = await tellCold(line);
    assertEquals(wanted.code, 0);
    assertEquals(await tell(line), { ...wanted, cold }, form.join(" "));
  }
}

function listTest(name: string, body: (runtime: TestRuntime) => Promise<void>): void {
  runtimeTest(name, RUNTS_ONLY, body);
}

/** A container more, in the state that these verbs bring it into; gives its id. */
async function add(
  runtime: TestRuntime,
  edit: (config: Config) => void,
  ...verbs: readonly string[]
): Promise<string> {
  using bundle = new Bundle((config) => {
    idle(config);
    edit(config);
  });
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  for (const verb of verbs) await runtime.ok([verb, id]);
  return id;
}

const plain = () => {};

listTest("containers in all states but paused, and none", async (runtime) => {
  await runtime.ok(["delete", "--force", await add(runtime, plain)]);
  await assertLists(runtime, false);
  const created = await add(runtime, plain);
  const running = await add(runtime, plain, "start");
  const stopped = await add(runtime, plain, "start");
  await runtime.ok(["kill", stopped, "KILL"]);
  await runtime.untilStopped(stopped);
  // Each form has one line of its own a container.
  const { stdout } = await tell(["--root", runtime.root, "list", "-q"]);
  assertEquals(stdout, [created, running, stopped].sort().map((id) => `${id}\n`).join(""));
  await assertLists(runtime, false);
  for (const id of [created, running, stopped]) await runtime.ok(["delete", "--force", id]);
});

listTest("annotations with all that JSON escapes", async (runtime) => {
  const id = await add(runtime, (config) => {
    config.annotations = {
      "a.b": '"bundle": "no"\n  "bundle": "no",',
      'quoted " \\': "back\\slash \\\\ end\\",
      blank: "  two  spaces  ",
      "äöü": "\u2028\u0001",
    };
  });
  await assertLists(runtime, false);
  await runtime.ok(["delete", "--force", id]);
});

listTest("what else is in the root", async (runtime) => {
  const id = await add(runtime, plain);
  const { root } = runtime;
  for (const name of [".lxc", ".removed~12"]) Deno.mkdirSync(`${root}/${name}`);
  Deno.writeTextFileSync(`${root}/file`, "");
  Deno.symlinkSync(`${root}/${id}`, `${root}/link`);
  await assertLists(runtime, false);
  await runtime.ok(["delete", "--force", id]);
  for (const name of [".lxc", ".removed~12", "file", "link"]) Deno.removeSync(`${root}/${name}`);
});

listTest(
  "a paused, a damaged or a strange one is told by Deno, with all the others",
  async (runtime) => {
    const ids = [await add(runtime, plain), await add(runtime, plain, "start", "pause")];
    await assertLists(runtime, true);
    await runtime.ok(["resume", ids[1]!]);
    await assertLists(runtime, false);
    const status = `${runtime.root}/${ids[0]}/status`;
    const text = Deno.readTextFileSync(status);
    Deno.writeTextFileSync(status, "{");
    await assertLists(runtime, true);
    Deno.writeTextFileSync(status, text);
    Deno.mkdirSync(`${runtime.root}/äöü`);
    await assertLists(runtime, true);
    Deno.removeSync(`${runtime.root}/äöü`);
    await assertLists(runtime, false);
    for (const id of ids) await runtime.ok(["delete", "--force", id]);
  },
);

listTest("a supervised one is told by Deno, with what its monitor knows", async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--supervised", "--bundle", bundle.path, id]);
  await assertLists(runtime, true);
  await runtime.ok(["delete", "--force", id]);
});

listTest(
  "a path that is no ASCII, and one that JSON escapes, keep their columns",
  async (runtime) => {
    for (const name of ["bündel", 'quoted"']) {
      const parent = Deno.makeTempDirSync();
      using bundle = new Bundle(idle);
      const path = `${parent}/${name}`;
      Deno.symlinkSync(bundle.path, path);
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", path, id]);
      const line = ["--root", runtime.root, "list"];
      assertEquals(await tell(line), await tellCold(line));
      const json = [...line, "--format", "json"];
      assertEquals(await tell(json), { ...await tellCold(json), cold: false });
      await runtime.ok(["delete", "--force", id]);
      Deno.removeSync(parent, { recursive: true });
    }
  },
);

listTest("other words go to Deno", async (runtime) => {
  for (const words of [["--filter", "name=x"], ["-f", "xml"], ["one"], ["--quiet=true"]]) {
    const line = ["--root", runtime.root, "list", ...words];
    assertEquals(await tell(line), await tellCold(line), words.join(" "));
  }
});
