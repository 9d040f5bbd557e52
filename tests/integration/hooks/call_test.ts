/** Hooks that call the runtime on their own container, as monitoring and network plugins do. */

import { assertEquals } from "@std/assert";
import { readStat } from "../../../lib/state/liveness.ts";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { commandLine, PEER, RUNTS_ONLY, until } from "../../support/runtime.ts";

/** A hook that writes what verbs of the runtime answered to `log`, each with its exit code. */
function calling(
  runtime: TestRuntime,
  log: string,
  calls: readonly (readonly string[])[],
): Config {
  const script = calls.map((words) => {
    const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
    const quoted = line.map((word) => `'${word}'`).join(" ");
    return `${quoted} >>${log} 2>&1 </dev/null; echo "${words[0]} $?" >>${log}`;
  }).join("\n");
  // None may wait for the verb that runs the hook.
  return {
    path: "/bin/sh",
    args: ["sh", "-c", script],
    env: ["PATH=/bin:/usr/bin:/sbin:/usr/sbin"],
    timeout: 100,
  };
}

/** A bundle whose program sleeps, and where its hooks write. */
function sleeping(): { bundle: Bundle; log: string } {
  const bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
  return { bundle, log: `${bundle.path}/log` };
}

function read(log: string): string[] {
  return Deno.readTextFileSync(log).trimEnd().split("\n");
}

for (const verb of ["start", "run --detach"]) {
  Deno.test({
    name: `a poststart hook of ${verb} may call any verb`,
    ignore: PEER === "runc", // 1.1.5 runs it before the program
    fn: () =>
      withRuntime(async (runtime) => {
        const { bundle, log } = sleeping();
        using _ = bundle;
        const id = runtime.id();
        const calls = [
          ["exec", id, "echo", "inside"],
          ["update", "--pids-limit", "77", id],
          ["pause", id],
          ["resume", id],
          ["kill", id, "WINCH"],
        ];
        bundle.config.hooks = { poststart: [calling(runtime, log, calls)] };
        bundle.save();
        const words = ["--bundle", bundle.path, id];
        if (verb === "start") {
          await runtime.ok(["create", ...words]);
          await runtime.ok(["start", id]);
        } else await runtime.ok(["run", "--detach", ...words]);
        assertEquals(read(log), [
          "inside",
          "exec 0",
          "update 0",
          "pause 0",
          "resume 0",
          "kill 0",
        ]);
        assertEquals((await runtime.state(id)).status, "running");
        await runtime.ok(["delete", "--force", id]);
      }),
  });
}

Deno.test({
  name: "a poststart hook sees a running container, and may delete it",
  ...RUNTS_ONLY, // runc 1.1.5 as above; crun 1.8 calls it created
  fn: () =>
    withRuntime(async (runtime) => {
      const { bundle, log } = sleeping();
      using _ = bundle;
      const id = runtime.id();
      const calls = [["state", id], ["delete", "--force", id], ["state", id]];
      bundle.config.hooks = { poststart: [calling(runtime, log, calls)] };
      bundle.save();
      assertEquals(await runtime.run(["run", "--bundle", bundle.path, id]), {
        code: 137,
        stdout: "",
        stderr: "",
      });
      const lines = read(log);
      const end = lines.indexOf("}") + 1;
      assertEquals(JSON.parse(lines.slice(0, end).join("\n")).status, "running");
      assertEquals(lines.slice(end), [
        "state 0",
        "delete 0",
        `runts: state "${id}": container does not exist`,
        "state 1",
      ]);
    }),
});

Deno.test({
  name: "a poststart hook that fails ends the container",
  ...RUNTS_ONLY, // other words
  fn: () =>
    withRuntime(async (runtime) => {
      const { bundle, log } = sleeping();
      using _ = bundle;
      const script = (text: string) => ({ path: "/bin/sh", args: ["sh", "-c", text] });
      bundle.config.hooks = { poststart: [script("exit 3")], poststop: [script(`cat >${log}`)] };
      bundle.save();
      for (const verb of ["run", "run --detach", "start"]) {
        const id = runtime.id();
        const words = ["--bundle", bundle.path, id];
        if (verb === "start") await runtime.ok(["create", ...words]);
        const rest = verb === "start" ? ["start", id] : [...verb.split(" "), ...words];
        const { code, stdout, stderr } = await runtime.run(rest);
        assertEquals({ code, stdout, stderr: stderr.replace(/\d+ ms/, "N ms") }, {
          code: 1,
          stdout: "",
          stderr: `runts: ${rest[0]} "${id}": hooks.poststart[0]: hook "/bin/sh": ` +
            "exit status 3 after N ms\n",
        });
        assertEquals(JSON.parse(Deno.readTextFileSync(log)).status, "stopped");
        assertEquals((await runtime.run(["state", id])).code, 1);
      }
    }),
});

Deno.test({
  name: "a hook of create is answered at once",
  ...RUNTS_ONLY, // other words
  fn: () =>
    withRuntime(async (runtime) => {
      const { bundle, log } = sleeping();
      using _ = bundle;
      const id = runtime.id();
      const calls = [["exec", id, "true"], ["update", "--pids-limit", "77", id], ["pause", id]];
      bundle.config.hooks = { createRuntime: [calling(runtime, log, calls)] };
      bundle.save();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      assertEquals(read(log), [
        `runts: exec "${id}": cannot exec in a container that is being created`,
        "exec 255",
        `runts: update "${id}": cannot update a container that is creating`,
        "update 1",
        `runts: pause "${id}": container not running: it is creating`,
        "pause 1",
      ]);
      await runtime.ok(["delete", id]);
    }),
});

for (const kind of ["prestart", "createRuntime", "createContainer"]) {
  Deno.test({
    name: `a ${kind} hook that deletes its own container is refused at once`,
    ...RUNTS_ONLY, // runc 1.1.5 knows no such container yet, crun has no lock
    fn: () =>
      withRuntime(async (runtime) => {
        const { bundle, log } = sleeping();
        using _ = bundle;
        for (const verb of ["create", "run --detach"]) {
          const id = runtime.id();
          const calls = [
            ["delete", id],
            ["delete", "--force", id],
            ["start", id],
            ["kill", id, "KILL"],
            ["resume", id],
          ];
          const creator = { path: "/bin/sh", args: ["sh", "-c", `echo $PPID >${log}.pid`] };
          bundle.config.hooks = {
            createRuntime: [creator],
            ...(kind !== "createRuntime" && { [kind]: [calling(runtime, log, calls)] }),
          };
          if (kind === "createRuntime") {
            bundle.config.hooks.createRuntime = [creator, calling(runtime, log, calls)];
          }
          bundle.save();
          await runtime.ok([...verb.split(" "), "--bundle", bundle.path, id]);
          const pid = Deno.readTextFileSync(`${log}.pid`).trim();
          const refused = `runts: delete "${id}": runts (pid ${pid}) holds the container's lock ` +
            "and waits for the hook that runs this command";
          assertEquals(read(log), [
            refused,
            "delete 1",
            refused,
            "delete 1",
            `runts: start "${id}": cannot start a container in the creating state`,
            "start 1",
            `runts: kill "${id}": container not running`,
            "kill 1",
            `runts: resume "${id}": container not paused: it is creating`,
            "resume 1",
          ]);
          await runtime.ok(["delete", "--force", id]);
          Deno.removeSync(log);
        }
      }),
  });
}

Deno.test({
  name: "a hook that fails because it may not delete its container leaves nothing",
  ...RUNTS_ONLY, // as above
  fn: () =>
    withRuntime(async (runtime) => {
      const { bundle } = sleeping();
      using _ = bundle;
      const id = runtime.id();
      const line = commandLine(runtime.executable, ["--root", runtime.root, "delete", "-f", id]);
      const [path = "", ...args] = line;
      bundle.config.hooks = { createRuntime: [{ path, args: [path, ...args], timeout: 100 }] };
      bundle.save();
      const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
      const said = stderr.replace(/\d+ ms/, "N ms").replaceAll(/pid \d+/g, "pid N");
      const refused = `runts: delete "${id}": runts (pid N) holds the container's lock ` +
        "and waits for the hook that runs this command";
      assertEquals(code, 1);
      assertEquals(said.split("\n"), [
        refused, // by the hook itself
        `runts: create "${id}": hooks.createRuntime[0]: hook ${JSON.stringify(path)}: ` +
        `exit status 1 after N ms: stderr ${JSON.stringify(refused)}`,
        "",
      ]);
      assertEquals((await runtime.run(["state", id])).code, 1);
    }),
});

Deno.test({
  name: "what a hook leaves behind may wait for create and delete the container",
  ...RUNTS_ONLY, // as above
  fn: () =>
    withRuntime(async (runtime) => {
      const { bundle, log } = sleeping();
      using _ = bundle;
      const id = runtime.id();
      const line = commandLine(runtime.executable, ["--root", runtime.root, "delete", "-f", id]);
      const deleting = `echo $$ >${log}.pid; exec ${line.join(" ")}`;
      const leave = `sh -c '${deleting}; ' >${log} 2>&1 </dev/null &`;
      // A slow hook: create goes on well after the other one has asked for the lock.
      const asks = `ls -l /proc/$(cat ${log}.pid)/fd 2>/dev/null | grep -q '/${id}/lock$'`;
      const slow = `until ${asks}; do sleep 0.02; done; sleep 0.7`;
      const env = ["PATH=/bin:/usr/bin:/sbin:/usr/sbin"];
      bundle.config.hooks = {
        createRuntime: [leave, slow].map((script) => (
          { path: "/bin/sh", args: ["sh", "-c", script], env, timeout: 100 }
        )),
      };
      bundle.save();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      await until("it is deleted", async () => (await runtime.run(["state", id])).code === 1);
      const pid = Deno.readTextFileSync(`${log}.pid`).trim();
      await until("delete has ended", () => readStat(Number(pid)) === undefined);
      assertEquals(Deno.readTextFileSync(log), "");
    }),
});
