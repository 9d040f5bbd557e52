/** Enabling controllers of cgroup v2, in directories that look like cgroups. */

import { assertEquals } from "@std/assert";
import { enableControllers } from "../../../lib/cgroup/v2/controllers.ts";
import { reason } from "../../../lib/base/errors.ts";

/** A cgroup in whose file what is enabled can be read afterwards. */
function make(directory: string, type: string | undefined, procs: string): void {
  Deno.mkdirSync(directory);
  Deno.writeTextFileSync(`${directory}/cgroup.controllers`, "cpu memory pids\n");
  Deno.writeTextFileSync(`${directory}/cgroup.subtree_control`, "");
  Deno.writeTextFileSync(`${directory}/cgroup.procs`, procs);
  if (type !== undefined) Deno.writeTextFileSync(`${directory}/cgroup.type`, `${type}\n`);
}

Deno.test("a cgroup below the root with processes of its own is left as it is", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const root = `${folder}/cgroup`;
    make(root, undefined, "1\n2\n");
    make(`${root}/free`, "domain", "");
    make(`${root}/busy`, "domain", "7\n");
    make(`${root}/threaded`, "threaded", "7\n");
    const enabled = (name: string) =>
      Deno.readTextFileSync(`${root}/${name}/cgroup.subtree_control`);
    assertEquals(enableControllers(root, `${root}/free/c`).size, 0);
    assertEquals([enabled(""), enabled("free")], ["+cpu +memory +pids", "+cpu +memory +pids"]);
    assertEquals(enableControllers(root, `${root}/threaded/c`, ["cpu"]).size, 0);
    assertEquals(enabled("threaded"), "+cpu");
    const refused = enableControllers(root, `${root}/busy/c`, ["pids", "memory"]);
    assertEquals(enabled("busy"), "");
    assertEquals(
      [...refused].map(([name, error]) => [name, reason(error)]),
      ["memory", "pids"].map((name) => [
        name,
        `write "+${name}" to "${root}/busy/cgroup.subtree_control": EBUSY (device or resource busy): ` +
        "the cgroup holds processes of its own",
      ]),
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
