/** Hooks: their order, where they run, what they are given, and what becomes of those that fail. */

import { assertEquals, assertMatch } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { hook, type Kind, KINDS } from "../../support/hooks.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";

/** Those that run in the container's namespaces. */
const INSIDE: readonly Kind[] = ["createContainer", "startContainer"];

/** A bundle whose directory `log` is to be seen in the container under the same path. */
function logging(edit: (config: Config, log: string) => void): { bundle: Bundle; log: string } {
  const bundle = new Bundle();
  const log = `${bundle.path}/log`;
  Deno.mkdirSync(log);
  Deno.chmodSync(log, 0o777);
  bundle.config.mounts.push({ destination: log, source: log, type: "bind", options: ["bind"] });
  edit(bundle.config, log);
  bundle.save();
  return { bundle, log };
}

/** Hooks of every kind. */
function everywhere(config: Config, script: (kind: Kind) => string, more: Config = {}): void {
  config.hooks = Object.fromEntries(KINDS.map((kind) => [kind, [hook(script(kind), more)]]));
}

/** The life of a container whose program writes to its standard output. */
async function live(runtime: TestRuntime, bundle: Bundle): Promise<string> {
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  await runtime.ok(["start", id]);
  await runtime.ok(["delete", "--force", id]);
  return id;
}

function read(path: string): string[] {
  return Deno.readTextFileSync(path).trimEnd().split("\n");
}

Deno.test({
  name: "hooks run in the order of their kinds and of their list",
  // runc 1.1.5 runs poststart within create, crun 1.8.1 beside startContainer
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      const { bundle, log } = logging((config, log) => {
        config.process.args = ["sh", "-c", `echo program >> ${log}/order; sleep 60`];
        config.hooks = Object.fromEntries(KINDS.map((kind) => [
          kind,
          [1, 2].map((number) => hook(`echo ${kind} ${number} >> ${log}/order`)),
        ]));
      });
      using _ = bundle;
      await live(runtime, bundle);
      const order = read(`${log}/order`).filter((line) => line !== "program");
      assertEquals(order, KINDS.flatMap((kind) => [`${kind} 1`, `${kind} 2`]));
    }),
});

Deno.test("hooks run in the namespaces of their kind", async () => {
  await withRuntime(async (runtime) => {
    const { bundle, log } = logging((config, log) => {
      const show = "readlink /proc/self/ns/mnt /proc/self/ns/net /proc/self/ns/uts";
      config.process.args = ["sh", "-c", `${show} > ${log}/program; sleep 60`];
      // Before the root is entered, /proc is still the host's.
      everywhere(config, (kind) => {
        const pid = kind === "createContainer" ? "$(cut -d' ' -f1 /proc/self/stat)" : "self";
        return `for n in mnt net uts; do readlink /proc/${pid}/ns/$n; done > ${log}/${kind}`;
      });
      delete config.hooks.createContainer;
    });
    using _ = bundle;
    bundle.save();
    await live(runtime, bundle);
    const host = ["mnt", "net", "uts"].map((name) => Deno.readLinkSync(`/proc/self/ns/${name}`));
    for (const kind of KINDS) {
      if (kind === "createContainer") continue;
      const same = read(`${log}/${kind}`).map((link, index) => link === host[index]);
      // crun runs its own processes in a mount namespace here (see support/runtime.ts).
      const seen = PEER === "crun" ? same.slice(1) : same;
      assertEquals(seen, seen.map(() => !INSIDE.includes(kind)), kind);
    }
  });
});

Deno.test("createContainer hooks see the container's mounts and host name, from the host's root", async () => {
  await withRuntime(async (runtime) => {
    const { bundle, log } = logging((config, log) => {
      config.hostname = "inner";
      config.hooks = {
        createContainer: [
          hook(`hostname > ${log}/a; test -d ${log} && ls ${log}/../rootfs/dev/null >> ${log}/a`),
        ],
      };
    });
    using _ = bundle;
    await live(runtime, bundle);
    // The peers set the host name later.
    const name = PEER === "runts" ? "inner" : read(`${log}/a`)[0]!;
    assertEquals(read(`${log}/a`), [name, `${log}/../rootfs/dev/null`]);
  });
});

/** The status that each kind is told. */
const STATUS: Record<Kind, string> = {
  prestart: "creating",
  createRuntime: "creating",
  createContainer: "creating",
  startContainer: "created",
  poststart: "running",
  poststop: "stopped",
};

Deno.test({
  name: "hooks read the state on their standard input",
  ...RUNTS_ONLY, // the peers' status differs from kind to kind
  fn: () =>
    withRuntime(async (runtime) => {
      const { bundle, log } = logging((config, log) => {
        config.annotations = { "org.example.key": "value" };
        config.process.args = ["sleep", "1000"];
        everywhere(config, (kind) => `cat > ${log}/${kind}`);
      });
      using _ = bundle;
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      const { pid } = await runtime.state(id);
      await runtime.ok(["start", id]);
      await runtime.ok(["delete", "--force", id]);
      for (const kind of KINDS) {
        const state = JSON.parse(Deno.readTextFileSync(`${log}/${kind}`));
        const expected = INSIDE.includes(kind) ? 1 : kind === "poststop" ? 0 : pid;
        assertMatch(state.ociVersion, /^1\.\d+\.\d+/);
        delete state.ociVersion;
        assertEquals(state, {
          id,
          status: STATUS[kind],
          pid: expected,
          bundle: bundle.path,
          annotations: { "org.example.key": "value" },
        }, kind);
      }
    }),
});

Deno.test("hooks have the environment that is given, and no further descriptors", async () => {
  await withRuntime(async (runtime) => {
    const { bundle, log } = logging((config, log) => {
      config.process.args = ["sleep", "1000"];
      everywhere(
        config,
        (kind) => `env > ${log}/${kind}; exec ls /proc/self/fd > ${log}/${kind}.fds`,
        {
          env: ["PATH=/bin:/usr/bin", "ONLY=this"],
        },
      );
      // There the procfs knows the shell by another number.
      config.hooks.createContainer = [hook(`env > ${log}/createContainer; : > ${log}/fds`, {
        env: ["PATH=/bin:/usr/bin", "ONLY=this"],
      })];
    });
    using _ = bundle;
    await live(runtime, bundle);
    for (const kind of KINDS) {
      const env = read(`${log}/${kind}`).filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line));
      assertEquals(env.sort(), ["ONLY=this", "PATH=/bin:/usr/bin"], kind);
      if (kind === "createContainer") continue;
      if (PEER === "runc" && kind === "poststop") continue; // gets one of the script's
      // The last is what ls reads the directory by.
      assertEquals(read(`${log}/${kind}.fds`), ["0", "1", "2", "3"], kind);
    }
  });
});

/** What a failing hook does, and how the message ends. */
const FAILURES: [name: string, script: string, more: Config, message: string][] = [
  ["that exits", "echo one >&2; echo two >&2; exit 9", {}, "exit status 9 after N ms"],
  ["that is killed", "kill -TERM $$", {}, "killed by SIGTERM after N ms"],
  ["that takes too long", "exec sleep 30", { timeout: 1 }, "timed out after 1 s"],
];

for (const kind of ["prestart", "createRuntime", "createContainer", "startContainer"] as const) {
  for (const [name, script, more, message] of FAILURES) {
    Deno.test({
      name: `a ${kind} hook ${name} ends the container`,
      ...RUNTS_ONLY, // other words
      fn: () =>
        withRuntime(async (runtime) => {
          const { bundle, log } = logging((config, log) => {
            config.process.args = ["sh", "-c", `echo ran > ${log}/program`];
            config.hooks = {
              [kind]: [hook(script, more), hook(`echo > ${log}/second`)],
              poststop: [hook(`cat > ${log}/poststop`)],
            };
          });
          using _ = bundle;
          const id = runtime.id();
          const { code, stderr } = await runtime.run(["run", "--bundle", bundle.path, id]);
          const said = script.startsWith("echo") ? "one\ntwo\n" : "";
          const quoted = said ? ': stderr "one\\ntwo"' : "";
          assertEquals(
            stderr.replace(/after \d+ ms/, "after N ms"),
            `${said}runts: run "${id}": hooks.${kind}[0]: hook "/bin/sh": ${message}${quoted}\n`,
          );
          assertEquals(code, 1);
          const left = [...Deno.readDirSync(log)].map((entry) => entry.name);
          assertEquals(left, ["poststop"]);
          assertEquals(JSON.parse(Deno.readTextFileSync(`${log}/poststop`)).status, "stopped");
          assertEquals((await runtime.run(["state", id])).code, 1);
        }),
    });
  }
}

Deno.test({
  name: "a poststop hook that fails is a warning, and the next one runs",
  ...RUNTS_ONLY, // other words
  fn: () =>
    withRuntime(async (runtime) => {
      const { bundle, log } = logging((config, log) => {
        config.hooks = { poststop: [hook("exit 4"), hook(`echo > ${log}/second`)] };
      });
      using _ = bundle;
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      const { code, stderr } = await runtime.run(["delete", id]);
      assertEquals({ code, stderr: stderr.replace(/after \d+ ms/, "after N ms") }, {
        code: 0,
        stderr: 'runts: warning: hooks.poststop[0]: hook "/bin/sh": exit status 4 after N ms\n',
      });
      assertEquals([...Deno.readDirSync(log)].map((entry) => entry.name), ["second"]);
    }),
});
