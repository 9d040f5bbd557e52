/** The working directory of hooks. It is not the caller's, which may be any, or gone. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { hook, KINDS } from "../../support/hooks.ts";
import { command, commandLine, PEER, RUNTS_ONLY } from "../../support/runtime.ts";

/** A bundle with hooks of every kind that write their directory to files of `log`. */
function locating(): Bundle {
  const bundle = new Bundle();
  const log = `${bundle.path}/log`;
  Deno.mkdirSync(log);
  Deno.mkdirSync(`${bundle.rootfs}/work`);
  bundle.config.mounts.push({ destination: log, source: log, type: "bind", options: ["bind"] });
  Object.assign(bundle.config.process, { args: ["sleep", "1000"], cwd: "/work" });
  // crun dies of a hook that reads nothing.
  bundle.config.hooks = Object.fromEntries(
    KINDS.map((kind) => [kind, [hook(`cat >/dev/null; pwd -P >${log}/${kind}`)]]),
  );
  bundle.save();
  return bundle;
}

function found(bundle: Bundle): Record<string, string> {
  return Object.fromEntries(
    KINDS.map((kind) => [kind, Deno.readTextFileSync(`${bundle.path}/log/${kind}`).trim()]),
  );
}

/** Where each kind runs; runc's delete has its own directory, crun's createContainer the bundle. */
function expected(bundle: Bundle, { deleter }: { deleter?: string } = {}): Record<string, string> {
  return {
    prestart: bundle.path,
    createRuntime: bundle.path,
    createContainer: PEER === "crun" ? bundle.path : bundle.rootfs,
    startContainer: "/work",
    poststart: bundle.path,
    poststop: PEER === "runc" && deleter ? deleter : bundle.path,
  };
}

Deno.test("hooks of create, start and delete run in their own directories", async () => {
  await withRuntime(async (runtime) => {
    using bundle = locating();
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id], { cwd: "/usr" });
    await runtime.ok(["start", id], { cwd: "/etc" });
    await runtime.ok(["delete", "--force", id], { cwd: "/var" });
    assertEquals(found(bundle), expected(bundle, { deleter: "/var" }));
  });
});

Deno.test("hooks of run do so, too", async () => {
  await withRuntime(async (runtime) => {
    using bundle = locating();
    bundle.config.process.args = ["true"];
    bundle.save();
    await runtime.ok(["run", "--bundle", bundle.path, runtime.id()], { cwd: "/usr" });
    assertEquals(found(bundle), expected(bundle));
  });
});

Deno.test("the bundle may be the caller's directory, or relative to it", async () => {
  await withRuntime(async (runtime) => {
    using bundle = locating();
    const [parent, name] = [bundle.path.replace(/\/[^/]*$/, ""), bundle.path.replace(/.*\//, "")];
    for (const [cwd, words] of [[bundle.path, []], [parent, ["--bundle", name]]] as const) {
      const id = runtime.id();
      await runtime.ok(["create", ...words, id], { cwd });
      await runtime.ok(["start", id], { cwd });
      await runtime.ok(["delete", "--force", id], { cwd });
      assertEquals(found(bundle), expected(bundle, { deleter: cwd }));
    }
  });
});

/** Runs the runtime in a directory that is gone. */
async function nowhere(runtime: TestRuntime, args: readonly string[]) {
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...args]);
  const script = 'd=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$@"';
  return await command(["sh", "-c", script, "sh", ...line]);
}

Deno.test("hooks run in the bundle although the caller's directory is gone", {
  ...RUNTS_ONLY, // runc needs one, crun's line has a shell that complains
}, async () => {
  await withRuntime(async (runtime) => {
    using bundle = locating();
    const id = runtime.id();
    const good = { code: 0, stdout: "", stderr: "" };
    for (
      const args of [["create", "--bundle", bundle.path, id], ["start", id], ["delete", "-f", id]]
    ) {
      assertEquals(await nowhere(runtime, args), good, args.join(" "));
    }
    assertEquals(found(bundle), expected(bundle));
  });
});

Deno.test("hooks after the start run although the bundle is gone, in the root", {
  ...RUNTS_ONLY, // crun's fail
}, async () => {
  await withRuntime(async (runtime) => {
    using bundle = locating();
    const log = Deno.makeTempDirSync({ prefix: "runts-log-" });
    const { config } = bundle;
    config.hooks = Object.fromEntries(
      ["poststart", "poststop"].map((kind) => [kind, [hook(`pwd -P >${log}/${kind}`)]]),
    );
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const away = `${bundle.path}-away`;
    Deno.renameSync(bundle.path, away);
    try {
      await runtime.ok(["start", id]);
      await runtime.ok(["delete", "--force", id]);
    } finally {
      Deno.renameSync(away, bundle.path);
    }
    for (const kind of ["poststart", "poststop"]) {
      assertEquals(Deno.readTextFileSync(`${log}/${kind}`), "/\n", kind);
    }
    Deno.removeSync(log, { recursive: true });
  });
});

Deno.test("poststop hooks of a container that failed run in the bundle", {
  ...RUNTS_ONLY, // the peers run none
}, async () => {
  await withRuntime(async (runtime) => {
    using bundle = locating();
    bundle.config.hooks.createRuntime.push(hook("exit 1"));
    bundle.save();
    const { code } = await runtime.run(["create", "--bundle", bundle.path, runtime.id()], {
      cwd: "/usr",
    });
    assertEquals(code, 1);
    assertEquals(Deno.readTextFileSync(`${bundle.path}/log/poststop`), `${bundle.path}\n`);
  });
});

Deno.test("hooks of a container with a user namespace run in the same directories", async () => {
  await withRuntime(async (runtime) => {
    using bundle = locating();
    Deno.chmodSync(`${bundle.path}/log`, 0o777);
    const { linux } = bundle.config;
    linux.namespaces.push({ type: "user" });
    linux.uidMappings = linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1 }, {
      containerID: 1,
      hostID: 100_000,
      size: 1000,
    }];
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id], { cwd: "/usr" });
    await runtime.ok(["start", id], { cwd: "/usr" });
    await runtime.ok(["delete", "--force", id], { cwd: "/usr" });
    assertEquals(found(bundle), expected(bundle, { deleter: "/usr" }));
  });
});
