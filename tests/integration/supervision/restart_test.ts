/** Containers that are started anew. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../../support/runtime.ts";
import {
  eventsOf,
  eventTypes,
  record,
  runScript,
  supervisionTest,
} from "../../support/supervised.ts";

const LIFE = ["started", "exited"];

supervisionTest("on-failure:2 restarts twice, after 100 and 200 ms", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "exit 3", "--restart", "on-failure:2");
  assertEquals(await runtime.ok(["wait", id]), "3\n");
  const events = eventsOf(runtime, id);
  assertEquals(
    events.map(({ type }) => type),
    ["created", ...LIFE, "restarting", ...LIFE, "restarting", ...LIFE],
  );
  assertEquals(events.filter(({ type }) => type === "restarting").map(({ delay }) => delay), [
    100,
    200,
  ]);
  const times = (wanted: string) =>
    events.filter(({ type }) => type === wanted).map(({ time }) => Date.parse(time));
  const [ends, starts] = [times("exited"), times("started")];
  // How much longer it takes is a matter of the machine.
  assert(starts[1]! - ends[0]! >= 100 && starts[2]! - ends[1]! >= 200);
  const [entry] = JSON.parse(await runtime.ok(["list", "--format", "json"]));
  assertEquals([entry.supervision.exitCode, entry.supervision.restarts], [3, 2]);
  await runtime.ok(["delete", id]);
});

supervisionTest("ten seconds of running begin a new row", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000", "--restart", "on-failure:9");
  const file = `${runtime.root}/${id}/supervised.json`;
  for (const [seconds, delay] of [[5, 800], [11, 100]] as const) {
    const started = new Date(Date.now() - seconds * 1000).toISOString();
    const past = { ...record(runtime, id, "supervised.json"), lastDelay: 400, started };
    Deno.writeTextFileSync(file, JSON.stringify(past));
    const { pid } = await runtime.state(id);
    Deno.kill(pid, "SIGKILL");
    await until("it is told", () => eventTypes(runtime, id).at(-1) === "restarting");
    assertEquals(eventsOf(runtime, id).at(-1)!.delay, delay);
    await until("it runs again", () => eventTypes(runtime, id).at(-1) === "started");
  }
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("on-failure leaves what has succeeded alone", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "exit 0", "--restart", "on-failure");
  assertEquals(await runtime.ok(["wait", id]), "0\n");
  assertEquals(eventTypes(runtime, id), ["created", ...LIFE]);
  await runtime.ok(["delete", id]);
});

supervisionTest("a stopped container stays stopped", async (runtime, bundle) => {
  const script = "trap 'exit 0' TERM; while :; do sleep 0.01; done";
  for (const policy of ["always", "unless-stopped"]) {
    const id = await runScript(runtime, bundle, script, "--restart", policy);
    await runtime.ok(["stop", id]);
    assertEquals(await runtime.ok(["wait", id]), "0\n");
    await runtime.ok(["settle", id]);
    assertEquals((await runtime.state(id)).status, "stopped");
    assertEquals(record(runtime, id, "supervised.json").stoppedByHand, true);
    await runtime.ok(["delete", id]);
  }
});

supervisionTest("a stop during the delay wins", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "exit 1", ...[
    ...["--restart", "always", "--restart-delay", "50s"],
  ]);
  await until("it waits", () => eventTypes(runtime, id).includes("restarting"));
  const row = (await runtime.ok(["list"])).split("\n")[1]!;
  assertMatch(row, /stopped, starts anew {3}1 {11}0 /);
  await runtime.ok(["stop", id]);
  assertEquals(await runtime.ok(["wait", id]), "1\n");
  assertEquals(record(runtime, id, "supervised.json").nextStart, undefined);
  await runtime.ok(["delete", id]);
  assertEquals(eventTypes(runtime, id), ["created", ...LIFE, "restarting", "removed"]);
});

supervisionTest("restart stops it, and starts it anew as it was made", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "echo life; sleep 1000");
  const before = await runtime.state(id);
  bundle.config.process.args = ["/bin/false"];
  bundle.save();
  await runtime.ok(["restart", "--timeout", "0", id]);
  const now = await runtime.state(id);
  assertEquals(now.status, "running");
  assert(now.pid !== before.pid);
  await until(
    "it has begun",
    () => Deno.readTextFileSync(`${runtime.root}/${id}/output.log`).split("life").length === 3,
  );
  await runtime.ok(["delete", "--force", id]);
  assertEquals(eventTypes(runtime, id), ["created", ...LIFE, ...LIFE, "removed"]);
});

supervisionTest("a stopped container can be started anew", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "exit 4");
  await runtime.ok(["wait", id]);
  await runtime.ok(["restart", id]);
  assertEquals(await runtime.ok(["wait", id]), "4\n");
  await runtime.ok(["delete", id]);
});

supervisionTest("a start that fails is tried again later", async (runtime, bundle) => {
  const options = ["--restart", "on-failure:2", "--restart-delay", "1s"];
  const id = await runScript(runtime, bundle, "exit 1", ...options);
  Deno.renameSync(bundle.rootfs, `${bundle.path}/away`);
  const tried = () => record(runtime, id, "supervised.json");
  await until("it has given up", () => tried().restarts === 2 && tried().nextStart === undefined);
  const { stderr, code } = await runtime.run(["restart", id]);
  assertEquals(code, 1);
  assertMatch(stderr, /^runts: restart "[^"]+": root\.path: root filesystem .*: ENOENT .*\n$/);
  Deno.renameSync(`${bundle.path}/away`, bundle.rootfs);
  assertEquals((await runtime.state(id)).status, "stopped");
  const failure = /^root\.path: root filesystem "[^"]+": .*ENOENT \(no such file or directory\)$/;
  const inspected = async () => JSON.parse(await runtime.ok(["inspect", id])).supervision.failure;
  assertMatch(await inspected(), failure);
  const again = eventsOf(runtime, id).filter(({ type }) => type === "restarting");
  assertEquals(again.length, 2);
  assertEquals(again[0]!.failure, undefined);
  assertMatch(again[1]!.failure, failure);
  await runtime.ok(["restart", id]);
  assertEquals(await inspected(), undefined);
  await runtime.ok(["wait", id]);
  await runtime.ok(["delete", id]);
});

supervisionTest("a program that is gone leaves the last end as it was", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000", "--restart", "on-failure:1");
  const { pid } = await runtime.state(id);
  Deno.renameSync(`${bundle.rootfs}/bin/sh`, `${bundle.rootfs}/bin/away`);
  Deno.kill(pid, "SIGKILL");
  assertEquals(await runtime.ok(["wait", id]), "137\n");
  assertEquals(record(runtime, id, "processes/init/exit.json").pid, pid);
  const { supervision } = JSON.parse(await runtime.ok(["inspect", id]));
  assertEquals([supervision.exitCode, supervision.restarts], [137, 1]);
  assertMatch(supervision.failure, /^process\.args\[0\]: exec: "sh": executable file not found/);
  await runtime.ok(["delete", id]);
});

supervisionTest(
  "a poststart hook that fails is a failure of the new life",
  async (runtime, bundle) => {
    const once = `${bundle.path}/once`;
    const args = ["sh", "-c", `if [ -e ${once} ]; then rm ${once}; exit 7; fi; echo >${once}`];
    bundle.config.hooks = { poststart: [{ path: "/bin/sh", args }] };
    const id = await runScript(runtime, bundle, "sleep 1000", "--restart", "always");
    Deno.kill((await runtime.state(id)).pid, "SIGKILL");
    await until("it runs again", () => eventTypes(runtime, id).length === 8);
    const again = eventsOf(runtime, id).filter(({ type }) => type === "restarting");
    assertEquals(again[0]!.failure, undefined);
    assertMatch(again[1]!.failure, /^hooks\.poststart\[0\]: hook "\/bin\/sh": exit status 7 after/);
    assertEquals((await runtime.state(id)).status, "running");
    await runtime.ok(["delete", "--force", id]);
  },
);

supervisionTest("restarts at the same time come one after the other", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000", "--stop-timeout", "0");
  await Promise.all([1, 2, 3].map(() => runtime.ok(["restart", id])));
  await runtime.ok(["delete", "--force", id]);
  assertEquals(eventTypes(runtime, id), [
    ...["created", ...LIFE, ...LIFE, ...LIFE, ...LIFE],
    "removed",
  ]);
});

supervisionTest("the pid file and --no-pivot are for each start", async (runtime, bundle) => {
  const file = `${bundle.path}/pid`;
  const options = ["--restart", "on-failure:1", "--pid-file", file, "--no-pivot"];
  const id = await runScript(runtime, bundle, "sleep 1000", ...options);
  const { pid } = await runtime.state(id);
  assertEquals(Deno.readTextFileSync(file), String(pid));
  Deno.kill(pid, "SIGKILL");
  await until("it is started anew", () => eventTypes(runtime, id).length === 5);
  const now = (await runtime.state(id)).pid;
  assert(now !== pid);
  assertEquals(Deno.readTextFileSync(file), String(now));
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("deleted while it waits, it is gone", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "exit 1", "--restart", "always");
  await until("it has ended", () => eventTypes(runtime, id).includes("exited"));
  await runtime.ok(["delete", "--force", id]);
  assertEquals(await runtime.ok(["list", "--quiet"]), "");
});

supervisionTest("a start that nobody could tell of any more counts", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000", "--restart", "on-failure:1");
  const { pid } = await runtime.state(id);
  const file = `${runtime.root}/${id}/supervised.json`;
  const { started: _, ...rest } = record(runtime, id, "supervised.json");
  Deno.writeTextFileSync(file, JSON.stringify({ ...rest, nextStart: "2026-01-01T00:00:00Z" }));
  await runtime.ok(["settle", id]);
  assertEquals((await runtime.state(id)).pid, pid);
  const { nextStart, ...now } = record(runtime, id, "supervised.json");
  assertEquals(nextStart, undefined);
  Deno.writeTextFileSync(file, JSON.stringify({ ...now, started: undefined }));
  Deno.kill(pid, "SIGKILL");
  await until("it is started anew", () => record(runtime, id, "supervised.json").restarts === 1);
  await until("it runs", async () => (await runtime.state(id)).status === "running");
  await runtime.ok(["delete", "--force", id]);
});
