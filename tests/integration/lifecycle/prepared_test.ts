/** What the front does without Deno is what Deno would do, and whatever is odd goes to Deno. */

import { assert, assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { runtimeTest } from "../../support/host.ts";
import { RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";
import { assertState, ended, idle, prepared, SHORT, tell } from "../../support/cold.ts";

prepared("a life without Deno", idle, async (id, call) => {
  const { pid } = await assertState(call, id, "created");
  assertEquals(await call("start", id), SHORT);
  assertEquals((await assertState(call, id, "running")).pid, pid);
  assertEquals(await call("kill", id, "0"), SHORT);
  assertEquals(await call("kill", id, "KILL"), SHORT);
  await ended(call, id);
  assertEquals((await assertState(call, id, "stopped")).pid, 0);
  assertEquals(await call("delete", id), SHORT);
  assertEquals(await call("delete", "--force", id), SHORT);
});

runtimeTest("clients' forms of these verbs take no Deno", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const log = `${bundle.path}/log.json`;
  const shim = ["--root", runtime.root, "--log", log, "--log-format", "json"];
  const forms: readonly [globals: string[], variables: string[], lines: string[][]][] = [
    [shim, [], [["start"], ["kill", "", "9"], ["kill", "--all", "", "9"], ["delete"]]],
    [[...shim, "--systemd-cgroup"], [], [["start"], ["kill", "--all", "", "9"], ["delete"]]],
    // podman as root, whose environment has one variable, which is empty.
    [["--root", runtime.root], ["-i", "XDG_RUNTIME_DIR="], [["start"], ["kill", "", "15"]]],
    [["--root", runtime.root], ["-i", "XDG_RUNTIME_DIR="], [["start"], ["delete", "--force"]]],
    [[`--root=${runtime.root}/`], [], [["start"], ["state"], ["kill", "", "SIGKILL"], ["delete"]]],
  ];
  for (const [globals, variables, lines] of forms) {
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    for (const [verb, ...rest] of lines) {
      if (verb === "delete" && rest.length === 0) {
        await runtime.untilStopped(id);
      }
      const at = rest.indexOf("");
      const words = at < 0 ? [...rest, id] : rest.with(at, id);
      // `env -i` would drop what tells of a cold start, too.
      const line = variables.filter((one) => one !== "-i");
      const told = await tell([...globals, verb!, ...words], line);
      assertEquals({ ...told, stdout: "" }, SHORT, `${globals} ${verb} ${words}`);
    }
    assertEquals(await tell([...globals, "delete", "--force", id]), SHORT);
  }
  // Nothing was logged, but a log was opened.
  assertEquals(Deno.readTextFileSync(log), "");
});

prepared("a link under a name of LXC's has verbs of its own", idle, async (id, _, { root }) => {
  const link = `${root}/lxc-none`;
  Deno.symlinkSync(RUNTIME, link);
  const told = await tell(["--root", root, "state", id], [], { executable: link });
  Deno.removeSync(link);
  assertEquals([told.code, told.cold], [1, true]);
});

runtimeTest("an empty environment is enough", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  const line = ["env", "-i", RUNTIME, "--root", runtime.root, "delete", "--force", id];
  const { success } = await new Deno.Command(line[0]!, { args: line.slice(1) }).output();
  assert(success);
});

prepared("output that nobody reads ends as with Deno", idle, async (id, _, runtime) => {
  const script = `mkfifo "$0"; exec 3<>"$0" 4>"$0" 3<&-; rm "$0"
    "$@" >&4; echo "$?"; "$@" >/dev/full; echo "$?"; "$@" >&-; echo "$?"`;
  const line = [RUNTIME, "--root", runtime.root, "state", id];
  const told = async (variables: string[]) => {
    const { stdout, stderr } = await tell(
      ["-c", script, `${runtime.root}/fifo`, ...line],
      variables,
      {
        executable: "bash",
      },
    );
    return { stdout, stderr: stderr.replaceAll(/^.*ld\.so.*\n/gm, "") };
  };
  assertEquals(await told([]), await told(["RUNTS_TEST_COLD=1"]));
});

prepared("the front needs less than 200 kB", idle, async (id, _, runtime) => {
  const fifo = `${runtime.root}/fifo`;
  const script = `mkfifo "$0"; exec 3<>"$0"
    dd if=/dev/zero of="$0" bs=65536 count=1 2>/dev/null
    "$@" >&3 & pid=$!
    until grep -q '^State:.S' /proc/$pid/status && [ "$(readlink /proc/$pid/exe)" = "$1" ]; do :; done
    cat /proc/$pid/smaps_rollup
    dd of=/dev/null bs=65536 count=1 <&3 2>/dev/null
    wait $pid; rm "$0"`;
  const args = ["-c", script, fifo, RUNTIME, "--root", runtime.root, "state", id];
  const { code, stdout, stderr } = await tell(args, [], { executable: "sh" });
  assertEquals(code, 0, stderr);
  const size = Number(/^Rss:\s+(\d+) kB$/m.exec(stdout)?.[1]);
  assert(size > 0 && size <= 200, stdout);
});

runtimeTest("explain --prepared prints the record", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  const view = JSON.parse(await runtime.ok(["explain", "--prepared", id]));
  assertEquals(view.usable, true);
  assertEquals(view.verbs, ["state", "kill", "kill --all", "start", "delete"]);
  assertEquals(view.pid, (await runtime.state(id)).pid);
  Deno.removeSync(`${runtime.root}/${id}/prepared`);
  const none = "no record: every verb starts Deno\n";
  assertEquals(await runtime.ok(["explain", "--prepared", id]), none);
  await runtime.ok(["delete", "--force", id]);
  const gone = await runtime.run(["explain", "--prepared", id]);
  assertEquals(gone, {
    code: 1,
    stdout: "",
    stderr: `runts: explain "${id}": container does not exist\n`,
  });
});
