/** Starts anew have nothing of whoever happens to look, and are done by a monitor's command alone. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { isRunning, type TestRuntime } from "../../support/host.ts";
import { command, commandLine, until } from "../../support/runtime.ts";
import {
  eventTypes,
  monitorsOf,
  record,
  runScript,
  supervisionTest,
} from "../../support/supervised.ts";

/** Tells what it begins with; the first life lasts, the second ends at once. */
const SCRIPT =
  "umask; env; if [ -e /tmp/second ]; then exit 5; fi; : >/tmp/second; exec sleep 1000";

/** What the lives of a container have said, each by itself. */
async function lives(runtime: TestRuntime, id: string): Promise<string[]> {
  const text = await runtime.ok(["logs", id]);
  return text.split(/^(?=0\d\d\d$)/m);
}

/** A command line of runts with another umask, and a socket for readiness that is not there. */
function elsewhere(runtime: TestRuntime, umask: string, words: readonly string[]): string[] {
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
  const script = `umask ${umask}; export NOTIFY_SOCKET=/none/notify; exec "$@"`;
  return ["sh", "-c", script, "sh", ...line];
}

supervisionTest("a start anew has nothing of whoever waits", async (runtime, bundle) => {
  bundle.config.root.readonly = false;
  bundle.config.process.args = ["sh", "-c", SCRIPT];
  bundle.save();
  const id = runtime.id();
  const options = ["--restart", "on-failure:1", "--bundle", bundle.path, id];
  const line = commandLine(runtime.executable, ["--root", runtime.root, "run", "-d", ...options]);
  assertEquals((await command(["sh", "-c", 'umask 027; exec "$@"', "sh", ...line])).code, 0);
  await until("it has said so", async () => (await lives(runtime, id))[0]!.includes("PATH="));
  const { pid } = await runtime.state(id);
  const [former] = monitorsOf(runtime);
  // Nobody is left but those who look.
  Deno.kill(former!, "SIGKILL");
  await until("it is gone", () => !isRunning(former!));
  Deno.kill(pid, "SIGKILL");
  const waiting = command(elsewhere(runtime, "000", ["wait", id]));
  assertEquals(await waiting, { code: 0, stdout: "5\n", stderr: "" });
  const [first, second, ...more] = await lives(runtime, id);
  assertMatch(first!, /^0027\n/);
  assertEquals([second, more], [first, []]);
  assertEquals(eventTypes(runtime, id), [
    ...["created", "started", "lost", "restarting", "started", "exited"],
  ]);
  assert(record(runtime, id, "supervised.json").monitor.pid !== former);
  assertEquals(monitorsOf(runtime), [record(runtime, id, "supervised.json").monitor.pid]);
  await runtime.ok(["delete", id]);
});

supervisionTest("whoever follows events lets it be started, too", async (runtime, bundle) => {
  const script = "if [ -e /tmp/second ]; then exit 5; fi; : >/tmp/second; exec sleep 1000";
  bundle.config.root.readonly = false;
  const id = await runScript(runtime, bundle, script, "--restart", "on-failure:1");
  const { pid } = await runtime.state(id);
  const line = elsewhere(runtime, "000", ["events", "--follow", id]);
  const follower = new Deno.Command(line[0]!, { args: line.slice(1), stdout: "null" }).spawn();
  await until("the second life is prepared", async () => {
    return await runtime.ok(["exec", id, "sh", "-c", "ls /tmp"]) === "second\n";
  });
  Deno.kill(monitorsOf(runtime)[0]!, "SIGKILL");
  Deno.kill(pid, "SIGKILL");
  await until("it is started anew", () => eventTypes(runtime, id).at(-1) === "exited");
  follower.kill("SIGKILL");
  await follower.status;
  assertEquals(await runtime.ok(["wait", id]), "5\n");
  await runtime.ok(["delete", id]);
});

supervisionTest("each start is in the same cgroup", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000", "--restart", "on-failure:1");
  const cgroup = () => record(runtime, id, "status").cgroup;
  const made = cgroup();
  const killed = (await runtime.state(id)).pid;
  Deno.kill(killed, "SIGKILL");
  await until("it is started anew", () => eventTypes(runtime, id).length === 5);
  assertEquals([cgroup().path, cgroup().paths], [made.path, made.paths]);
  const { pid } = await runtime.state(id);
  const lines = Deno.readTextFileSync(`/proc/${pid}/cgroup`).trimEnd().split("\n");
  assert(lines.every((line) => line.endsWith(`/${id}`)), lines.join(" "));
  await runtime.ok(["restart", "--timeout", "0", id]);
  assertEquals(cgroup().paths, made.paths);
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("another monitor knows nothing of former processes", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000");
  await runtime.ok(["exec", "--name", "long", "--detach", id, "sleep", "1000"]);
  const former = monitorsOf(runtime)[0]!;
  Deno.kill(former, "SIGKILL");
  await until("it is gone", () => !isRunning(former));
  await runtime.ok(["restart", "--timeout", "0", id]);
  assertEquals(monitorsOf(runtime).length, 1);
  const { stderr, code } = await runtime.run(["wait", "--process", "long", id]);
  const lost = "it has ended, and how is lost: its monitor had ended before it did";
  assertEquals({ code, stderr }, { code: 1, stderr: `runts: wait "${id}": ${lost}\n` });
  await runtime.ok(["exec", "--name", "long", id, "true"]);
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest(
  "commands that are killed each time are called once more",
  async (runtime, bundle) => {
    const id = await runScript(runtime, bundle, "exit 3", "--restart", "on-failure:1", ...[
      ...["--restart-delay", "1s"],
    ]);
    await until("it waits", () => eventTypes(runtime, id).includes("restarting"));
    const { pid } = record(runtime, id, "supervised.json").monitor;
    const children = () =>
      Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);
    await until("its command waits for the time", () => children().length === 1);
    Deno.kill(Number(children()[0]), "SIGKILL");
    // Without anybody who looks it would take ten seconds.
    const before = performance.now();
    assertEquals(await runtime.ok(["wait", id]), "3\n");
    assert(performance.now() - before < 8_000);
    assertEquals(eventTypes(runtime, id).filter((type) => type === "started").length, 2);
    await runtime.ok(["delete", id]);
  },
);
