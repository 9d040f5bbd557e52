/** The contract of the files in the state directory of a supervised container, for shells and other programs. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { isRunning } from "../../support/host.ts";
import { command, until } from "../../support/runtime.ts";
import {
  eventTypes,
  monitorsOf,
  record,
  runScript,
  supervisionTest,
} from "../../support/supervised.ts";

/** A file as stat(1) has it: type and mode. */
function modeOf(path: string): string {
  const { isFile, isDirectory, isFifo, isSocket, mode } = Deno.lstatSync(path);
  const type = isFile ? "file" : isDirectory ? "directory" : isFifo ? "fifo" : "";
  return `${isSocket ? "socket" : type} ${((mode ?? 0) & 0o777).toString(8)}`;
}

supervisionTest("what is in the directory of a process", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000", "--label", "app=shop");
  const root = `${runtime.root}/${id}`;
  const init = `${root}/processes/init`;
  assertEquals(
    Object.fromEntries(
      ["monitor.sock", "supervised.json", "output.log", "processes"].map((name) => [
        name,
        modeOf(`${root}/${name}`),
      ]),
    ),
    {
      "monitor.sock": "socket 600",
      "supervised.json": "file 600",
      "output.log": "file 640",
      "processes": "directory 700",
    },
  );
  const names = [...Deno.readDirSync(init)].filter(({ name }) => !name.startsWith(".")).map((
    { name },
  ) => [name, modeOf(`${init}/${name}`)]);
  assertEquals(Object.fromEntries(names), {
    "control": "fifo 600",
    "exit": "fifo 600",
    "pid": "file 600",
    "process.json": "file 600",
  });
  const { pid } = await runtime.state(id);
  assertEquals(Deno.readTextFileSync(`${init}/pid`), String(pid));
  const { spec, monitor, bootId, created, ...name } = record(
    runtime,
    id,
    "processes/init/process.json",
  );
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/.*\) /, "").split(" ");
  assertEquals(name, { pid, startTime: Number(fields[19]) });
  assertEquals(spec.args, ["sh", "-c", "sleep 1000"]);
  assertEquals(monitor.pid, monitorsOf(runtime)[0]);
  assertEquals(bootId, Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim());
  assert(!Number.isNaN(Date.parse(created)));
  assertEquals(record(runtime, id, "supervised.json").labels, { app: "shop" });
  // A shell waits with cat: the fifo ends when the process has, and exit.json is there then.
  const shell = command(["sh", "-c", 'cat "$0/exit"; cat "$0/exit.json"', init]);
  Deno.kill(pid, "SIGTERM");
  await runtime.ok(["kill", id, "KILL"]);
  const { stdout, code } = await shell;
  assertEquals(code, 0);
  const exit = JSON.parse(stdout);
  assertEquals({ ...exit, at: "" }, {
    pid,
    code: 137,
    signal: 9,
    core: false,
    oom: false,
    at: "",
  });
  assertMatch(exit.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  assertEquals([...Deno.readDirSync(init)].some(({ name }) => name === "exit"), false);
  await runtime.ok(["delete", id]);
});

supervisionTest(
  "a second program loads everything after the first was killed",
  async (runtime, bundle) => {
    const id = await runScript(runtime, bundle, "read line; exit 5", "--interactive");
    await runtime.ok(["exec", "--name", "quick", "--detach", id, "sh", "-c", "exit 4"]);
    await runtime.ok(["exec", "--name", "slow", "--detach", id, "sleep", "1000"]);
    await runtime.ok(["wait", "--process", "quick", id]);
    // Nobody is there meanwhile; then somebody comes who knows the files alone.
    const processes = `${runtime.root}/${id}/processes`;
    const loaded = [...Deno.readDirSync(processes)].map(({ name }) => {
      const directory = `${processes}/${name}`;
      const pid = Number(Deno.readTextFileSync(`${directory}/pid`));
      const ended = [...Deno.readDirSync(directory)].some((one) => one.name === "exit.json");
      return [name, ended, isRunning(pid)];
    });
    assertEquals(loaded.sort(), [["init", false, true], ["quick", true, false], [
      "slow",
      false,
      true,
    ]]);
    const waiting = command(["sh", "-c", 'cat "$0/exit"; cat "$0/exit.json"', `${processes}/slow`]);
    Deno.writeTextFileSync(`${processes}/init/control`, "close-stdin\n");
    assertEquals(JSON.parse((await waiting).stdout).code, 137); // it dies with its container
    await until("the end was told", () => eventTypes(runtime, id).includes("exited"));
    assertEquals(record(runtime, id, "processes/init/exit.json").code, 5);
    await runtime.ok(["delete", id]);
  },
);

supervisionTest("how it ended is kept over a reboot", async (runtime, bundle) => {
  const kept = `${bundle.path}/kept`;
  Deno.mkdirSync(kept);
  const id = await runScript(runtime, bundle, "exit 6", "--persist", kept);
  await runtime.ok(["wait", id]);
  const exit = record(runtime, id, "processes/init/exit.json");
  await runtime.ok(["delete", id]);
  assertEquals(JSON.parse(Deno.readTextFileSync(`${kept}/${id}/init/exit.json`)), exit);
});

supervisionTest("a lack of memory is part of the record", async (runtime, bundle) => {
  bundle.config.linux.resources = { memory: { limit: 16 * 1024 * 1024 } };
  const id = await runScript(runtime, bundle, "head -c 100m /dev/zero | tail");
  await runtime.ok(["wait", id]);
  const { code, oom } = record(runtime, id, "processes/init/exit.json");
  assertEquals({ code, oom }, { code: 137, oom: true });
  await until("it was told", () => eventTypes(runtime, id).includes("exited"));
  assertEquals(eventTypes(runtime, id), ["created", "started", "oom", "exited"]);
  await runtime.ok(["delete", id]);
});

supervisionTest("several brains start it anew once", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "exit 1", "--restart", "on-failure:3");
  const brains = Array.from({ length: 4 }, () => runtime.ok(["wait", id]));
  assertEquals(await Promise.all(brains), ["1\n", "1\n", "1\n", "1\n"]);
  assertEquals(eventTypes(runtime, id).filter((type) => type === "started").length, 4);
  assertEquals(record(runtime, id, "supervised.json").restarts, 3);
  await runtime.ok(["delete", id]);
});

supervisionTest(
  "containers are found by their labels, states and ends",
  async (runtime, bundle) => {
    const web = await runScript(
      runtime,
      bundle,
      "sleep 1000",
      "--label",
      "app=shop",
      "--label",
      "web",
    );
    const job = await runScript(runtime, bundle, "exit 3", "--label", "app=shop");
    await runtime.ok(["wait", job]);
    const found = async (...filters: string[]) => {
      const words = filters.flatMap((filter) => ["--filter", filter]);
      return (await runtime.ok(["list", "--quiet", ...words])).trim().split("\n").sort();
    };
    assertEquals(await found("label=app=shop"), [web, job].sort());
    assertEquals(await found("label=app", "label=web"), [web]);
    assertEquals(await found("status=stopped"), [job]);
    assertEquals(await found("exited=3"), [job]);
    assertEquals(await found(`name=${web}`), [web]);
    const { code, stderr } = await runtime.run(["list", "--filter", "lable=x"]);
    const message =
      `runts: list: option "--filter": "lable=x" is not a filter: did you mean "label"?\n`;
    assertEquals({ code, stderr }, { code: 1, stderr: message });
    for (const id of [web, job]) await runtime.ok(["delete", "--force", id]);
  },
);
