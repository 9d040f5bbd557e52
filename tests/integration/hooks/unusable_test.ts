/** Hooks that cannot be executed, in every stage of a container's life, and very many good ones. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { hook, type Kind, KINDS } from "../../support/hooks.ts";
import { type Output, PEER, RUNTS_ONLY } from "../../support/runtime.ts";

/** What is wrong with a path of the bundle's `hook` directory, which the container sees as well. */
const PATHS: readonly (readonly [name: string, error: string])[] = [
  ["missing", "ENOENT (no such file or directory)"],
  ["directory", "EACCES (permission denied)"],
  ["not-executable", "EACCES (permission denied)"],
  ["no-program", "ENOEXEC (exec format error)"],
  ["no-interpreter", "ENOENT (no such file or directory)"],
  ["loop", "ELOOP (too many levels of symbolic links)"],
  ["not-executable/below", "ENOTDIR (not a directory)"],
];

/** A bundle with such paths; poststop hooks that run write to `log`. */
function withPaths(): { bundle: Bundle; folder: string } {
  const bundle = new Bundle();
  const folder = `${bundle.path}/hook`;
  Deno.mkdirSync(`${folder}/directory`, { recursive: true });
  for (const [name, text] of [["no-program", "text\n"], ["no-interpreter", "#!/no/such\n"]]) {
    Deno.writeTextFileSync(`${folder}/${name}`, text!, { mode: 0o755 });
  }
  Deno.writeTextFileSync(`${folder}/not-executable`, "#!/bin/sh\n", { mode: 0o644 });
  Deno.symlinkSync("loop", `${folder}/loop`);
  const { config } = bundle;
  config.mounts.push({ destination: folder, source: folder, type: "bind", options: ["bind"] });
  config.process.args = ["sleep", "1000"];
  return { bundle, folder };
}

/** Makes, starts and deletes a container; what the first verb said that failed, or delete. */
async function live(runtime: TestRuntime, bundle: Bundle, id: string): Promise<[string, Output]> {
  bundle.save();
  for (const words of [["create", "--bundle", bundle.path, id], ["start", id]]) {
    const output = await runtime.run(words);
    if (output.code !== 0) return [words[0]!, output];
  }
  return ["delete", await runtime.run(["delete", "--force", id])];
}

/** Where each kind fails. */
const VERBS: Record<Kind, string> = {
  prestart: "create",
  createRuntime: "create",
  createContainer: "create",
  startContainer: "start",
  poststart: "start",
  poststop: "delete",
};

for (const kind of KINDS) {
  Deno.test(`a ${kind} hook that cannot be executed is named`, RUNTS_ONLY, async () => {
    await withRuntime(async (runtime) => {
      const { bundle, folder } = withPaths();
      using _ = bundle;
      const ran = `${bundle.path}/ran`;
      for (const [name, error] of PATHS) {
        const path = `${folder}/${name}`;
        bundle.config.hooks = { poststop: [hook(`: >${ran}`)] };
        bundle.config.hooks[kind] = [hook(":"), { path }, ...bundle.config.hooks[kind] ?? []];
        const id = runtime.id();
        const [verb, output] = await live(runtime, bundle, id);
        const start = kind === "poststop" ? "warning:" : `${verb} "${id}":`;
        assertEquals([verb, output], [VERBS[kind], {
          code: kind === "poststop" ? 0 : 1,
          stdout: "",
          stderr: `runts: ${start} hooks.${kind}[1]: hook ${JSON.stringify(path)}: ${error}\n`,
        }]);
        // A failed start leaves the container, which has stopped, for delete.
        if (kind === "startContainer") {
          assertEquals((await runtime.state(id)).status, "stopped");
          await runtime.ok(["delete", id]);
        }
        assertEquals((await runtime.run(["state", id])).code, 1);
        Deno.removeSync(ran);
      }
    });
  });
}

Deno.test("a relative path of a hook is refused before anything is made", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle();
    const ran = `${bundle.path}/ran`;
    for (const kind of KINDS) {
      for (const path of ["true", "./true", "bin/true", ""]) {
        bundle.config.hooks = { prestart: [hook(`: >${ran}`)] };
        bundle.config.hooks[kind] = [hook(":"), { path }];
        bundle.save();
        const id = runtime.id();
        const { code, stdout, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
        const place = `${bundle.path}/config.json: hooks.${kind}[1].path`;
        assertEquals({ code, stdout, stderr }, {
          code: 1,
          stdout: "",
          stderr: `runts: create "${id}": ${place}: "${path}" is not an absolute path\n`,
        });
      }
    }
    assertEquals([...Deno.readDirSync(bundle.path)].some(({ name }) => name === "ran"), false);
  });
});

Deno.test("a thousand hooks of each kind run", { ignore: PEER === "crun" }, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle();
    const log = `${bundle.path}/log`;
    Deno.mkdirSync(log);
    const { config } = bundle;
    config.mounts.push({ destination: log, source: log, type: "bind", options: ["bind"] });
    Deno.symlinkSync("busybox", `${bundle.rootfs}/bin/dd`);
    config.process.args = ["sleep", "1000"];
    const count = 1000;
    // Each appends one byte.
    const one = (kind: Kind) => ({
      path: "/bin/dd",
      args: ["dd", "if=/dev/zero", `of=${log}/${kind}`, "bs=1", "count=1", "conv=notrunc"],
    });
    config.hooks = Object.fromEntries(KINDS.map((kind) => [
      kind,
      Array.from({ length: count }, (_, index) => {
        const { args, ...rest } = one(kind);
        return { ...rest, args: [...args, `seek=${index}`, "status=none"] };
      }),
    ]));
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await runtime.ok(["start", id]);
    await runtime.ok(["delete", "--force", id]);
    for (const kind of KINDS) assertEquals(Deno.statSync(`${log}/${kind}`).size, count, kind);
  });
});
