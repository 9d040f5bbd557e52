/** Hooks that call the runtime on their own container, as monitoring and network plugins do. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../support/host.ts";
import { commandLine, PEER } from "../support/runtime.ts";

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
    timeout: 20,
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
  ignore: PEER !== "runts", // runc 1.1.5 as above; crun 1.8 calls it created
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
  ignore: PEER !== "runts", // other words
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
  ignore: PEER !== "runts", // other words
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
