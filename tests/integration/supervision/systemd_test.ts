/** Monitors of containers where systemd is: their scopes, and the end of the unit that started them. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { cgroupTest } from "../../support/cgroups.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, commandLine, until } from "../../support/runtime.ts";
import { eventTypes, monitorsOf } from "../../support/supervised.ts";

/** An emulated machine may be slow without end. */
const SLOWLY = ["--create-timeout", "0", "--bundle"];

async function loadState(unit: string): Promise<string> {
  return (await command(["systemctl", "show", "--value", "-p", "LoadState", unit])).stdout.trim();
}

cgroupTest(
  "a monitor has a scope beside that of its container",
  ["systemd"],
  () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
      const id = runtime.id();
      const words = ["run", "--detach", "--restart", "on-failure:1", ...SLOWLY, bundle.path, id];
      await runtime.ok(["--systemd-cgroup", ...words]);
      const [monitor] = monitorsOf(runtime);
      const scope = `runts-monitor-${id}.scope`;
      const cgroup = Deno.readTextFileSync(`/proc/${monitor}/cgroup`);
      assert(cgroup.includes(`/system.slice/${scope}\n`), cgroup);
      assertEquals(await loadState(scope), "loaded");
      await runtime.ok(["kill", id, "KILL"]);
      await runtime.ok(["settle", id]);
      const { pid, status } = await runtime.state(id);
      assertEquals(status, "running");
      const again = Deno.readTextFileSync(`/proc/${pid}/cgroup`);
      assert(again.includes(`/system.slice/runts-${id}.scope\n`), again);
      await runtime.ok(["delete", "--force", id]);
      assertEquals([await loadState(scope), monitorsOf(runtime)], ["not-found", []]);
      const life = ["started", "exited"];
      assertEquals(eventTypes(runtime, id), ["created", ...life, "restarting", ...life, "removed"]);
    }),
);

cgroupTest(
  "an id that a unit cannot be called by is escaped in its monitor's scope",
  ["systemd"],
  () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
      const id = `${runtime.id()}+1`;
      await runtime.ok(["run", "--detach", ...SLOWLY, bundle.path, id]);
      const [monitor] = monitorsOf(runtime);
      const cgroup = Deno.readTextFileSync(`/proc/${monitor}/cgroup`);
      const scope = `runts-monitor-${id.replace("+", "\\x2b")}.scope`;
      assert(cgroup.includes(`/system.slice/${scope}\n`), cgroup);
      await runtime.ok(["delete", "--force", id]);
      assertEquals([await loadState(scope), monitorsOf(runtime)], ["not-found", []]);
    }),
);

/** Prints, waits to be told, prints again, and ends. */
const SCRIPT = "echo early; until [ -e /tmp/go ]; do sleep 0.05; done; echo late; exit 5";

interface Start {
  readonly global: readonly string[];
  /** Of the unit. */
  readonly properties: readonly string[];
}

/** A container that a unit has started, which is still there. Gives the unit. */
async function startInUnit(
  runtime: TestRuntime,
  bundle: Bundle,
  id: string,
  options: Start,
): Promise<string> {
  const unit = `${id}.service`;
  const words = [...options.global, "run", "--detach", ...SLOWLY, bundle.path, id];
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
  const script = 'echo $XDG_SESSION_ID >"$0/session"; "$@" && exec sleep 1000';
  const properties = options.properties.flatMap((one) => ["-p", one]);
  const started = await command([
    ...["systemd-run", "--quiet", "--collect", `--unit=${unit}`, ...properties],
    ...["sh", "-c", script, bundle.path, ...line],
  ]);
  assertEquals([started.code, started.stderr], [0, ""]);
  await until("it runs", () => isThere(runtime, id));
  return unit;
}

/** The unit that has started a container ends; the container goes on. */
async function outlives(
  options: Start,
  end: (unit: string, bundle: Bundle) => Promise<void>,
  look: (id: string, monitor: number) => Promise<void>,
): Promise<void> {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sh", "-c", SCRIPT]);
    const id = runtime.id();
    const unit = await startInUnit(runtime, bundle, id, options);
    await end(unit, bundle);
    await until("the unit has ended", async () => await loadState(unit) === "not-found");
    assertEquals((await runtime.state(id)).status, "running");
    const monitors = monitorsOf(runtime);
    assertEquals(monitors.length, 1);
    await look(id, monitors[0]!);
    bundle.put("tmp/go", "");
    assertEquals(await runtime.ok(["wait", id]), "5\n");
    assertEquals(await runtime.ok(["logs", id]), "early\nlate\n");
    await runtime.ok(["delete", id]);
  });
}

async function isThere(runtime: TestRuntime, id: string): Promise<boolean> {
  return (await runtime.ok(["list", "--quiet", "--filter", "status=running"])) === `${id}\n`;
}

cgroupTest("the unit ends that started it, and the container goes on", ["systemd"], () =>
  outlives(
    { global: ["--systemd-cgroup"], properties: [] },
    async (unit) => void await command(["systemctl", "stop", unit]),
    async (id) => {
      const shown = await command(["systemctl", "status", `runts-monitor-${id}.scope`]);
      assertStringIncludes(shown.stdout, `runts monitor of container ${id}`);
    },
  ));

cgroupTest("its unit ends, and its own cgroup is not systemd's", ["systemd", "v2"], () =>
  outlives(
    { global: [], properties: [] },
    async (unit) => void await command(["systemctl", "kill", "--signal=KILL", unit]),
    // deno-lint-ignore require-await
    async (id, monitor) => {
      const cgroup = Deno.readTextFileSync(`/proc/${monitor}/cgroup`);
      assertStringIncludes(cgroup, `/runts-monitor-${id}.scope\n`);
    },
  ));

cgroupTest(
  "its unit ends, and it is in cgroups of v1 of its own",
  ["systemd", "v1"],
  () =>
    outlives(
      { global: [], properties: [] },
      async (unit) => void await command(["systemctl", "kill", "--signal=KILL", unit]),
      async (id, monitor) => {
        const own = Deno.readTextFileSync(`/proc/${monitor}/cgroup`);
        assertStringIncludes(own, `/runts-monitor-${id}.scope\n`);
        const init = (await command(["ps", "-o", "pid=", "--ppid", String(monitor)])).stdout.trim();
        const lines = Deno.readTextFileSync(`/proc/${init}/cgroup`).trimEnd().split("\n");
        assert(lines.every((line) => line.endsWith(`:/${id}`)), lines.join(" "));
      },
    ),
);

cgroupTest(
  "the login session ends that started it, and the container goes on",
  ["systemd"],
  () =>
    outlives(
      { global: ["--systemd-cgroup"], properties: ["User=root", "PAMName=login"] },
      async (_, bundle) => {
        const session = Deno.readTextFileSync(`${bundle.path}/session`).trim();
        const ended = await command(["loginctl", "terminate-session", session]);
        assertEquals([ended.code, ended.stderr], [0, ""]);
      },
      // deno-lint-ignore require-await
      async (id, monitor) => {
        const cgroup = Deno.readTextFileSync(`/proc/${monitor}/cgroup`);
        assertStringIncludes(cgroup, `/runts-monitor-${id}.scope\n`);
      },
    ),
);

interface Entry {
  readonly MESSAGE: string;
  readonly PRIORITY: string;
  readonly CONTAINER_NAME: string;
  readonly CONTAINER_PARTIAL_MESSAGE?: string;
}

cgroupTest("the journal has what it writes", ["systemd"], () =>
  withRuntime(async (runtime) => {
    const script = "echo one; echo two >&2; printf three";
    using bundle = new Bundle((config) => config.process.args = ["sh", "-c", script]);
    const id = runtime.id();
    const options = ["--log-driver", "journald", ...SLOWLY, bundle.path, id];
    await runtime.ok(["run", "--detach", ...options]);
    assertEquals(await runtime.ok(["wait", id]), "0\n");
    const entries = async () => {
      const words = ["journalctl", "--quiet", "--output=json", `CONTAINER_ID=${id}`];
      const { stdout } = await command(words);
      return stdout.trim().split("\n").filter(Boolean).map((line): Entry => JSON.parse(line));
    };
    await until("the journal has it", async () => (await entries()).length === 3);
    const told = (await entries()).map((one) => [
      one.MESSAGE,
      one.PRIORITY,
      one.CONTAINER_NAME === id,
      one.CONTAINER_PARTIAL_MESSAGE,
    ]);
    assertEquals(told.sort(), [
      ["one", "6", true, undefined],
      ["three", "6", true, "true"],
      ["two", "3", true, undefined],
    ]);
    const { code, stderr } = await runtime.run(["logs", id]);
    assertEquals([code, stderr.split("\n").length], [1, 2], stderr);
    await runtime.ok(["delete", id]);
  }));
