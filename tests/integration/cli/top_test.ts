/** top: what it shows of containers, on a terminal and elsewhere. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { Bundle, type Config, idle } from "../../support/bundle.ts";
import { runtimeTest, type TestRuntime } from "../../support/host.ts";
import { openPty } from "../../support/pty.ts";
import { command, commandLine, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { runScript } from "../../support/supervised.ts";

const MiB = 2 ** 20;

/** O_RDWR | O_NOCTTY */
const TERMINAL_FLAGS = 0o402;

function limited(config: Config): void {
  config.linux.resources = { memory: { limit: 64 * MiB }, pids: { limit: 33 } };
}

/** One container that is busy, one that waits for start, one that has ended, one with a monitor. */
async function four(runtime: TestRuntime): Promise<Record<string, string>> {
  using bundle = new Bundle((config) => {
    limited(config);
    config.process.args = ["sh", "-c", "while :; do :; done"];
  });
  const [busy, created, ended] = [runtime.id(), runtime.id(), runtime.id()];
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, busy]);
  await runtime.ok(["create", "--bundle", bundle.path, created]);
  using other = new Bundle();
  await runtime.ok(["run", "--detach", "--bundle", other.path, ended]);
  await runtime.untilStopped(ended);
  using third = new Bundle(idle);
  const supervised = await runScript(runtime, third, "sleep 1000");
  return { busy, created, ended, supervised };
}

async function remove(runtime: TestRuntime, ids: Record<string, string>): Promise<void> {
  for (const id of Object.values(ids)) await runtime.ok(["delete", "--force", id]);
}

runtimeTest("top tells programs what containers use", RUNTS_ONLY, async (runtime) => {
  const ids = await four(runtime);
  const text = await runtime.ok(["top", "--json", "--delay", "200ms", "--iterations", "2"]);
  const readings: Config[][] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(readings.length, 2);
  const row = (id: string): Config => readings[1]!.find((one) => one.id === ids[id]);
  const { cpu, cpuTime, memory, memoryLimit, pids, pidsLimit } = row("busy");
  assert(cpu > 1 && cpu < 1000, `it uses ${cpu} %`);
  assert(cpuTime > readings[0]!.find((one) => one.id === ids.busy).cpuTime);
  assert(memory > 0);
  assertEquals([memoryLimit, pids, pidsLimit], [64 * MiB, 1, 33]);
  assertEquals([row("created").status, row("created").cpu], ["created", 0]);
  assertEquals(row("ended"), { id: ids.ended, pid: 0, status: "stopped" });
  assertEquals([row("supervised").status, row("supervised").restarts], ["running", 0]);
  await remove(runtime, ids);
});

runtimeTest("top prints one table where there is no terminal", RUNTS_ONLY, async (runtime) => {
  const ids = await four(runtime);
  const text = await runtime.ok(["top", "--delay", "100ms", "--sort", "id", "--reverse"]);
  const lines = text.trimEnd().split("\n");
  assertMatch(lines[0]!, /^ID +STATUS +CPU +TIME +MEMORY +OF LIMIT +PIDS +READ\/S +WRITE\/S/);
  assertEquals(
    lines.slice(1).map((line) => line.split(" ")[0]),
    Object.values(ids).toSorted().toReversed(),
  );
  const busy = lines.find((line) => line.startsWith(ids.busy!));
  assertMatch(
    busy!,
    /running +[\d.]+ % +0:\d\d\.\d\d +\S+ [KM]iB of 64\.0 MiB +[\d.]+ % +1 of 33 /,
  );
  const one = await runtime.ok(["top", "--delay", "50ms", "--filter", "status=stopped"]);
  assertEquals(one.trimEnd().split("\n").length, 2);
  await remove(runtime, ids);
});

runtimeTest(
  "top on a terminal obeys keys and gives the terminal back",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle(idle);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const helper = await loadHelper();
    const { master, path } = openPty();
    helper.setWindowSize(master, { rows: 10, cols: 60 });
    const other = helper.open(path, TERMINAL_FLAGS); // while somebody has it open, its settings stay
    const settings = async () => (await command(["stty", "-F", path, "-g"])).stdout;
    const before = await settings();
    let shown = "";
    const shows = (text: string) =>
      until(`${JSON.stringify(text)} is shown`, () => {
        const bytes = helper.readAvailable(master, 65536);
        if (bytes instanceof Uint8Array) shown += new TextDecoder().decode(bytes);
        return shown.includes(text);
      });
    const type = (keys: string) => helper.write(master, new TextEncoder().encode(keys));
    const begin = () => {
      shown = "";
      const line = commandLine(runtime.executable, ["--root", runtime.root, "top"]);
      return new Deno.Command("sh", {
        args: ["-c", `exec "$@" <>${path} >&0 2>&0`, "sh", ...line],
        stdin: "null",
      }).spawn();
    };
    const ended = begin();
    await shows(id);
    await shows("1 container, 1 running: cpu ");
    await shows("by CPU, every 2 s   q quit");
    type("MR");
    await shows("by MEMORY, reversed, every 2 s");
    type("-");
    await shows("every 1 s");
    type("q");
    assertEquals((await ended.status).code, 0);
    await shows("\x1b[?1049l");
    assertEquals(await settings(), before);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      const killed = begin();
      await shows(id);
      killed.kill(signal);
      assertEquals((await killed.status).code, 0);
      assertEquals(await settings(), before);
    }
    helper.close(other);
    helper.close(master);
    await runtime.ok(["delete", "--force", id]);
  },
);

runtimeTest("top refuses what makes no sense", RUNTS_ONLY, async (runtime) => {
  const cases: [args: string[], message: string][] = [
    [["--iterations", "0"], 'option "--iterations": 0 readings are none'],
    [["--delay", "x"], 'option "--delay": "x" is not a duration: as "500ms" or "5s"'],
    [
      ["--sort", "cpus"],
      'option "--sort": "cpus" is not one of id, status, cpu, time, memory, share, ' +
      'pids, read, write, pressure, restarts: see "runts top --help"',
    ],
  ];
  for (const [args, message] of cases) {
    const stderr = `runts: top: ${message}\n`;
    assertEquals(await runtime.run(["top", ...args]), { code: 1, stdout: "", stderr });
  }
  assertEquals((await runtime.ok(["top", "--delay", "10ms"])).split("\n").length, 2);
});
