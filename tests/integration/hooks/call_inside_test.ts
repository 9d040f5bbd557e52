/** startContainer hooks that call the runtime on their own container, from inside. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { PROJECT, RUNTS_ONLY } from "../../support/runtime.ts";

/** A bundle in which the runtime can be called: its files, the host's processes, the state root. */
function calling(runtime: TestRuntime, ids: string[], edit: (config: Config) => void): Bundle {
  return new Bundle((config) => {
    config.root.readonly = false;
    config.linux.namespaces = config.linux.namespaces.filter(({ type }: Config) => type !== "pid");
    for (const path of ["/usr", "/lib", "/lib64", PROJECT, runtime.root]) {
      config.mounts.push({ destination: path, source: path, options: ["rbind"] });
    }
    const calls = [["delete"], ["delete", "--force"], ["update", "--pids-limit", "77"], ["state"]];
    const script = calls.map((words) => {
      const line = [runtime.executable, "--root", runtime.root, ...words, ...ids].join(" ");
      return `${line} >>/tmp/log 2>&1 </dev/null; echo "${words[0]} $?" >>/tmp/log`;
    });
    const env = ["PATH=/bin:/usr/bin"];
    const args = ["sh", "-c", script.join("\n")];
    config.hooks = { startContainer: [{ path: "/bin/sh", args, env, timeout: 100 }] };
    config.process.args = ["sleep", "1000"];
    edit(config);
  });
}

/** What the hook wrote; the state document as one line. */
function logOf(bundle: Bundle): string[] {
  const text = Deno.readTextFileSync(`${bundle.rootfs}/tmp/log`);
  return text.replace(/^\{$.*?^\}$/ms, "STATE").replace(/pid \d+/g, "pid N").trimEnd().split("\n");
}

for (const mighty of [false, true]) {
  for (const verb of ["run --detach", "start"]) {
    Deno.test({
      name: `a startContainer hook of ${verb} is refused at once, ${
        mighty ? "with all" : "with few"
      } capabilities`,
      ...RUNTS_ONLY, // the peers have no such lock
      fn: () =>
        withRuntime(async (runtime) => {
          const id = runtime.id();
          using bundle = calling(runtime, [id], (config) => {
            const more = mighty ? ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"] : [];
            for (const set of ["bounding", "effective", "permitted"]) {
              config.process.capabilities[set].push(...more);
            }
          });
          const start = performance.now();
          const words = ["--bundle", bundle.path, id];
          if (verb === "start") {
            await runtime.ok(["create", ...words]);
            await runtime.ok(["start", id]);
          } else await runtime.ok([...verb.split(" "), ...words]);
          // A wait for the lock takes a minute each.
          assertEquals(performance.now() - start < 50_000, true);
          const held =
            "runts (pid N) holds the container's lock and waits for the hook that runs " +
            "this command";
          assertEquals(logOf(bundle), [
            `runts: delete "${id}": ${held}`,
            "delete 1",
            `runts: delete "${id}": ${held}`,
            "delete 1",
            `runts: update "${id}": ${held}`,
            "update 1",
            "STATE",
            "state 0",
          ]);
          assertEquals((await runtime.state(id)).status, "running");
          await runtime.ok(["delete", "--force", id]);
        }),
    });
  }
}
