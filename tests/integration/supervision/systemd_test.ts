/** Monitors of containers in scopes of systemd. */

import { assert, assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { cgroupTest } from "../../support/cgroups.ts";
import { withRuntime } from "../../support/host.ts";
import { command } from "../../support/runtime.ts";
import { eventTypes, monitorsOf } from "../../support/supervised.ts";

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
      const words = ["run", "--detach", "--restart", "on-failure:1", "--bundle", bundle.path, id];
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
