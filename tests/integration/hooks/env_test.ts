/** The environment of hooks: that of their configuration, else what surrounds them. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { exists } from "../../support/look.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { hook, type Kind, KINDS } from "../../support/hooks.ts";
import { PEER, RUNTS_ONLY, until } from "../../support/runtime.ts";

/** The caller's variables. */
const CALLER = { CALLER: "yes", HOME: "/caller", PATH: "/usr/local/bin:/usr/bin:/bin" };

/** What hooks of every kind with this `env` find, with a process that has `process`. */
async function environments(
  runtime: TestRuntime,
  env: readonly string[] | undefined,
  process: Config = {},
): Promise<Record<string, string[]>> {
  using bundle = new Bundle();
  const log = `${bundle.path}/log`;
  Deno.mkdirSync(log);
  Deno.chmodSync(log, 0o777);
  bundle.config.mounts.push({ destination: log, source: log, type: "bind", options: ["bind"] });
  Object.assign(bundle.config.process, { args: ["sleep", "1000"], ...process });
  bundle.put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n");
  // What the shell itself was given, as long as it is there. crun dies of a hook that reads nothing.
  const show = (kind: Kind) =>
    `/bin/cat >/dev/null; exec 3</proc/self/environ; /bin/cat <&3 >${log}/${kind}; : >${log}/${kind}.done`;
  bundle.config.hooks = Object.fromEntries(
    KINDS.map((kind) => [kind, [hook(show(kind), { env })]]),
  );
  bundle.save();
  const id = runtime.id();
  const options = { env: CALLER, clearEnv: true };
  await runtime.ok(["create", "--bundle", bundle.path, id], options);
  await runtime.ok(["start", id], options);
  // crun's start does not wait for them.
  await until("those inside have run", () => exists(`${log}/startContainer.done`));
  await runtime.ok(["delete", "--force", id], options);
  return Object.fromEntries(KINDS.map((kind) => {
    const entries = Deno.readTextFileSync(`${log}/${kind}`).split("\0").slice(0, -1);
    // Of the shell that runs the commands of these tests; crun's has another one in front of it.
    return [kind, entries.filter((entry) => !/^(PWD|OLDPWD|SHLVL|_\w*)=/.test(entry)).sort()];
  }));
}

/** The same for each kind. */
const all = (env: readonly string[]) => Object.fromEntries(KINDS.map((kind) => [kind, env]));

Deno.test("a hook has exactly the environment that it is given", async () => {
  await withRuntime(async (runtime) => {
    assertEquals(await environments(runtime, []), all([]));
    const env = ["B=2", "HOME=/mine", "A="];
    assertEquals(await environments(runtime, env), all(["A=", "B=2", "HOME=/mine"]));
  });
});

Deno.test("without an environment, hooks outside have the caller's, those inside the program's", async () => {
  await withRuntime(async (runtime) => {
    const caller = Object.entries(CALLER).map(([name, value]) => `${name}=${value}`).sort();
    const own = ["FROM=process", "PATH=/bin"];
    for (
      const [user, home] of [
        [{ uid: 0, gid: 0 }, "/root"],
        [{ uid: 1000, gid: 1000 }, "/home/user"],
        [{ uid: 77, gid: 77 }, "/"],
      ] as const
    ) {
      if (PEER === "crun" && home === "/") continue; // it has no HOME for a user without an entry
      const found = await environments(runtime, undefined, { env: own, user });
      // HOME is looked up with the rest of the user; crun gives createContainer the caller's.
      const early = PEER === "crun" ? caller : own;
      assertEquals(found, {
        ...all(caller),
        createContainer: early,
        startContainer: ["FROM=process", `HOME=${home}`, "PATH=/bin"],
      });
    }
  });
});

Deno.test("a HOME of the process is that of its hooks", async () => {
  await withRuntime(async (runtime) => {
    const found = await environments(runtime, undefined, { env: ["HOME=/other", "PATH=/bin"] });
    const inside = ["HOME=/other", "PATH=/bin"];
    assertEquals(found["startContainer"], inside);
    if (PEER !== "crun") assertEquals(found["createContainer"], inside);
  });
});

Deno.test({
  name: "of a name that is there twice, hooks have what the program has",
  ...RUNTS_ONLY, // runc 1.1.5 and crun 1.8 pass on both
  fn: () =>
    withRuntime(async (runtime) => {
      const env = ["PATH=/bin", "A=1", "A=2", "HOME="];
      const found = await environments(runtime, undefined, { env });
      assertEquals(found["createContainer"], ["A=2", "PATH=/bin"]);
      assertEquals(found["startContainer"], ["A=2", "HOME=/root", "PATH=/bin"]);
    }),
});

Deno.test("a process without an environment leaves hooks inside without one but for HOME", async () => {
  await withRuntime(async (runtime) => {
    const found = await environments(runtime, undefined, { args: ["/bin/sleep", "1000"], env: [] });
    assertEquals(found["startContainer"], ["HOME=/root"]);
    if (PEER !== "crun") assertEquals(found["createContainer"], []);
  });
});
