/** Damaged files in a state directory: every verb names the file and the fault, and none hangs. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { isRunning, type TestRuntime, withRuntime } from "../../support/host.ts";
import { RUNTS_ONLY, until } from "../../support/runtime.ts";

const DAMAGED = "the container can be removed with delete --force";
/** Nothing here waits for anybody; so long a hang is one, in ms. */
const TIMEOUT = 30_000;

type Damage = (path: string) => unknown;

/** A container with a damaged file; it and its process must be gone after `delete --force`. */
function damaged(
  name: string,
  verb: "create" | "run",
  file: string,
  damage: Damage,
  body: (runtime: TestRuntime, id: string, path: string) => Promise<void>,
): void {
  Deno.test({
    name,
    ...RUNTS_ONLY,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle((config: Config) => config.process.args = ["sleep", "1000"]);
        const id = runtime.id();
        const detach = verb === "run" ? ["--detach"] : [];
        await runtime.ok([verb, ...detach, "--bundle", bundle.path, id]);
        const { pid } = await runtime.state(id);
        const path = `${runtime.root}/${id}/${file}`;
        damage(path);
        await body(runtime, id, path);
        await runtime.ok(["delete", "--force", id], { timeout: TIMEOUT });
        assertEquals(await runtime.ok(["list", "--quiet"]), "");
        await until("init is gone", () => !isRunning(pid));
      }),
  });
}

const remove: Damage = (path) => Deno.removeSync(path);
const directory: Damage = (path) => (remove(path), Deno.mkdirSync(path));
const text = (content: string): Damage => (path) => {
  remove(path);
  Deno.writeTextFileSync(path, content);
};
const link = (target: string): Damage => (path) => (remove(path), Deno.symlinkSync(target, path));
const fifo: Damage = (path) => {
  remove(path);
  new Deno.Command("mkfifo", { args: [path] }).outputSync();
};
const huge: Damage = (path) => (text("{")(path), Deno.truncateSync(path, 100_000_000));
const half: Damage = (path) => Deno.truncateSync(path, Deno.statSync(path).size / 2);

const VERBS: readonly (readonly string[])[] = [
  ["state", "ID"],
  ["kill", "ID", "TERM"],
  ["start", "ID"],
  ["exec", "ID", "true"],
  ["ps", "ID"],
  ["pause", "ID"],
  ["resume", "ID"],
  ["update", "--pids-limit", "9", "ID"],
  ["events", "--stats", "ID"],
  ["delete", "ID"],
];

/** That verbs fail with a message each. */
async function assertSays(
  runtime: TestRuntime,
  id: string,
  messages: readonly (readonly [args: readonly string[], message: string])[],
): Promise<void> {
  for (const [words, message] of messages) {
    const args = words.map((word) => word === "ID" ? id : word);
    const output = await runtime.run(args, { timeout: TIMEOUT });
    const code = args[0] === "exec" ? 255 : 1;
    const stderr = `runts: ${args[0]} "${id}": ${message}\n`;
    assertEquals({ args, ...output }, { args, code, stdout: "", stderr });
  }
}

const STATUS: readonly [what: string, Damage, message: string][] = [
  ["half written", half, `read status file "FILE": it is not JSON: ${DAMAGED}`],
  ["empty", text(""), `read status file "FILE": it is empty: ${DAMAGED}`],
  ["a list", text("[]"), `read status file "FILE": it holds no object: ${DAMAGED}`],
  ["without a pid", text("{}"), `read status file "FILE": "pid" is missing: ${DAMAGED}`],
  ["a directory", directory, `read "FILE": it is not a regular file: ${DAMAGED}`],
  ["a fifo", fifo, `read "FILE": it is not a regular file: ${DAMAGED}`],
  ["a link to a device", link("/dev/zero"), `read "FILE": it is not a regular file: ${DAMAGED}`],
  ["a link to itself", link("status"), 'read "FILE": ELOOP (too many levels of symbolic links)'],
  ["100 MB long", huge, `read "FILE": it is longer than 64 MiB: ${DAMAGED}`],
  ["missing", remove, 'container does not exist: there is no record of it in "DIRECTORY"'],
];

for (const [what, damage, message] of STATUS) {
  damaged(`a status that is ${what}`, "run", "status", damage, async (runtime, id, path) => {
    const fault = message.replace("FILE", path).replace("DIRECTORY", `${runtime.root}/${id}`);
    await assertSays(runtime, id, VERBS.map((args) => [args, fault]));
    const listed = await runtime.run(["list"], { timeout: TIMEOUT });
    const stderr = `runts: warning: list: "${id}": ${fault}\n`;
    assertEquals([listed.code, listed.stderr], [0, stderr]);
  });
}

const COPY: readonly [what: string, Damage, message: string][] = [
  ["missing", remove, `the copy of the configuration, "FILE", is missing: ${DAMAGED}`],
  ["empty", text(""), `the copy of the configuration, "FILE", is damaged: ${DAMAGED}`],
  ["no configuration", text("7"), `the copy of the configuration, "FILE", is damaged: ${DAMAGED}`],
  ["a fifo", fifo, `read "FILE": it is not a regular file: ${DAMAGED}`],
  ["a directory", directory, `read "FILE": it is not a regular file: ${DAMAGED}`],
  ["100 MB long", huge, `read "FILE": it is longer than 64 MiB: ${DAMAGED}`],
];

for (const [what, damage, message] of COPY) {
  const name = `a copy of the configuration that is ${what}`;
  damaged(name, "run", "config.json", damage, async (runtime, id, path) => {
    const fault = message.replace("FILE", path);
    await assertSays(runtime, id, [
      [["exec", "ID", "true"], fault],
      [["update", "--l3-cache-schema", "L3:0=f", "ID"], fault],
    ]);
    assertEquals((await runtime.state(id)).status, "running");
    await runtime.ok(["kill", id, "0"]);
  });
}

const RESULTS: readonly [what: string, Damage][] = [
  ["a directory", directory],
  ["a file", text("x")],
];

for (const [what, damage] of RESULTS) {
  const name = `a result fifo that is ${what} keeps the program from running`;
  damaged(name, "create", "result.fifo", damage, async (runtime, id, path) => {
    await assertSays(runtime, id, [
      [["start", "ID"], `read "${path}": it is not a fifo: ${DAMAGED}`],
    ]);
    assertEquals((await runtime.state(id)).status, "created");
  });
}

damaged("a result fifo of somebody else", "create", "result.fifo", fifo, async (runtime, id) => {
  await runtime.ok(["start", id], { timeout: TIMEOUT });
  assertEquals((await runtime.state(id)).status, "running");
});

damaged("a start fifo of somebody else", "create", "exec.fifo", fifo, async (runtime, id, path) => {
  const { pid } = await runtime.state(id);
  const message = `init (pid ${pid}) does not wait to be started: nobody reads "${path}": `;
  await assertSays(runtime, id, [[["start", "ID"], `${message}${DAMAGED}`]]);
});

/** As it is after the host was started anew: whoever is in a cgroup of the name is a stranger. */
damaged("a status of another boot", "run", "status", (path) => {
  const status = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify({ ...status, "boot-id": "another" }));
}, async (runtime, id, path) => {
  const record = JSON.parse(Deno.readTextFileSync(path));
  await assertSays(runtime, id, [
    [["kill", "ID", "KILL"], "container not running"],
    [["start", "ID"], "cannot start a container that has stopped"],
    [["exec", "ID", "true"], "cannot exec in a stopped container"],
    [["pause", "ID"], "container not running: it is stopped"],
    [["resume", "ID"], "container not paused: it is stopped"],
    [["update", "--pids-limit", "9", "ID"], "cannot update a container that is stopped"],
    [["events", "--stats", "ID"], "container not running: it is stopped"],
  ]);
  const { status, pid } = await runtime.state(id);
  assertEquals({ status, pid }, { status: "stopped", pid: 0 });
  assertEquals(JSON.parse(await runtime.ok(["ps", "--format", "json", id])) ?? [], []);
  await runtime.ok(["kill", "--all", id, "KILL"]);
  const copy = await Deno.readTextFile(`${runtime.root}/${id}/config.json`);
  await runtime.ok(["delete", id]);
  assertEquals(isRunning(record.pid), true, "a stranger was killed");
  // So that it is taken away: back to this boot.
  Deno.mkdirSync(`${runtime.root}/${id}`);
  Deno.writeTextFileSync(`${runtime.root}/${id}/config.json`, copy);
  const boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  Deno.writeTextFileSync(path, JSON.stringify({ ...record, "boot-id": boot }));
});
