/** A cgroup above the container's is frozen: every verb says so, and none waits for ever. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { cgroupsOf } from "../../../lib/cgroup/process.ts";
import { cgroupTest, everyPath, freezerPath, hostHas } from "../../support/cgroups.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { until } from "../../support/runtime.ts";
import { OwnCgroup } from "../../support/strangers.ts";

/** A cgroup of the test's own, and a bundle whose container's cgroup is below it. */
async function withParent(
  body: (runtime: TestRuntime, id: string, parent: OwnCgroup, bundle: Bundle) => Promise<void>,
): Promise<void> {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    await using others = new AsyncDisposableStack();
    for (const path of everyPath(`/${id}-above`)) others.use(new OwnCgroup(path));
    await using parent = new OwnCgroup(freezerPath(`/${id}-above`));
    using bundle = new Bundle((config) => {
      config.process.args = ["sleep", "1000"];
      config.linux.cgroupsPath = `/${id}-above/own`;
    });
    await body(runtime, id, parent, bundle);
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
  });
}

cgroupTest("create and run refuse a cgroup below a frozen one", [], async () => {
  await withParent(async (runtime, id, parent, bundle) => {
    await parent.freeze();
    for (const verb of ["create", "run"]) {
      const { code, stderr } = await runtime.run([verb, "--bundle", bundle.path, id]);
      assertEquals({ code, stderr }, {
        code: 1,
        stderr:
          `runts: ${verb} "${id}": linux.cgroupsPath: use cgroup "${parent.directory}/own": ` +
          `cgroup "${parent.directory}" above it is frozen: thaw that one, or give the container ` +
          "another one\n",
      });
    }
    await parent.thaw();
  });
});

/** What the verbs say of a container that is frozen from above. */
const REFUSED: readonly (readonly [words: readonly string[], code: number, message: string])[] = [
  [["pause"], 1, "container not running: it is paused"],
  [["resume"], 1, "let the container go on"],
  [
    ["exec", "ID", "true"],
    255,
    "cannot exec in a paused container (use --ignore-paused to override)",
  ],
  [["delete"], 1, "cannot delete a container that is not stopped: it is paused"],
];

cgroupTest("a container below a frozen cgroup is paused by that one", [], async () => {
  await withParent(async (runtime, id, parent, bundle) => {
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await parent.freeze();
    assertEquals((await runtime.state(id)).status, "paused");
    const why = `: cgroup "${parent.directory}" above its own is frozen: thaw that one\n`;
    const refused = async (words: readonly string[], code: number, message: string) => {
      const line = words.includes("ID") ? words.map((w) => w === "ID" ? id : w) : [...words, id];
      const output = await runtime.run(line);
      assertEquals({ code: output.code, stderr: output.stderr }, {
        code,
        stderr: `runts: ${words[0]} "${id}": ${message}${why}`,
      });
    };
    await refused(["start"], 1, "cannot start a container in the paused state");
    await parent.thaw();
    await runtime.ok(["start", id]);
    await parent.freeze();
    for (const [words, code, message] of REFUSED) await refused(words, code, message);
    await parent.thaw();
    assertEquals((await runtime.state(id)).status, "running");
    await runtime.ok(["delete", "--force", id]);
  });
});

cgroupTest("kill says that a frozen container ends once it is thawed", [], async () => {
  await withParent(async (runtime, id, parent, bundle) => {
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    await parent.freeze();
    const { code, stderr } = await runtime.run(["kill", id, "KILL"]);
    // The freezer of v2 lets killed processes end.
    const warning = hostHas("v2")
      ? ""
      : `runts: warning: the container ends once cgroup "${parent.directory}" is thawed\n`;
    assertEquals({ code, stderr }, { code: 0, stderr: warning });
    if (!hostHas("v2")) await parent.thaw();
    await runtime.untilStopped(id);
    await runtime.ok(["delete", id]);
    if (hostHas("v2")) await parent.thaw();
  });
});

cgroupTest("delete --force ends a container below a frozen cgroup", ["v2"], async () => {
  await withParent(async (runtime, id, parent, bundle) => {
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    await parent.freeze();
    await runtime.ok(["delete", "--force", id]);
    await parent.thaw();
  });
});

cgroupTest("delete --force names the frozen cgroup that init cannot end in", ["v1"], async () => {
  await withParent(async (runtime, id, parent, bundle) => {
    bundle.config.linux.cgroupsPath = `/${id}`;
    bundle.save();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    Deno.writeTextFileSync(`${parent.directory}/cgroup.procs`, String(pid));
    await parent.freeze();
    const { code, stderr } = await runtime.run(["delete", "--force", id]);
    assertEquals({ code, stderr }, {
      code: 1,
      stderr: `runts: delete "${id}": init (pid ${pid}) did not end within 10 s: it is in cgroup ` +
        `"${parent.directory}", which is frozen: thaw that one\n`,
    });
    await parent.thaw();
    await runtime.ok(["delete", "--force", id]);
  });
});

cgroupTest("exec does not wait in a frozen cgroup below the container's", [], async () => {
  await withParent(async (runtime, id, _, bundle) => {
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const directory = freezerPath(`/${id}-above/own/sub`);
    await using sub = new OwnCgroup(directory);
    await sub.freeze();
    const place = hostHas("v2") ? "sub" : "freezer:sub";
    const { code, stderr } = await runtime.run(["exec", "--cgroup", place, id, "true"]);
    assertEquals({ code, stderr }, {
      code: 255,
      stderr:
        `runts: exec "${id}": enter the container's cgroup: cgroup "${directory}" is frozen: ` +
        "thaw it, or use --ignore-paused to wait for that\n",
    });
    await sub.thaw();
    await runtime.ok(["exec", "--cgroup", place, id, "true"]);
    await runtime.ok(["delete", "--force", id]);
  });
});

cgroupTest("exec does not wait in a frozen cgroup that init was moved to", ["v1"], async () => {
  await withParent(async (runtime, id, parent, bundle) => {
    bundle.config.linux.cgroupsPath = `/${id}`;
    bundle.save();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    Deno.writeTextFileSync(`${parent.directory}/cgroup.procs`, String(pid));
    await parent.freeze();
    await until("the cgroup is gone", () => {
      try {
        Deno.removeSync(freezerPath(`/${id}`));
        return true;
      } catch {
        return false;
      }
    });
    const { code, stderr } = await runtime.run(["exec", id, "true"]);
    assertEquals({ code, stderr }, {
      code: 255,
      stderr:
        `runts: exec "${id}": enter the container's cgroup: cgroup "${parent.directory}" is ` +
        "frozen: thaw it, or use --ignore-paused to wait for that\n",
    });
    await parent.thaw();
    await runtime.ok(["delete", "--force", id]);
  });
});

cgroupTest("resume thaws what somebody has frozen beside the freezer of v1", ["v1"], async () => {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    using bundle = new Bundle((config) => {
      config.process.args = ["sleep", "1000"];
    });
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    const own = cgroupsOf(new Runtime(), pid)[""]!;
    Deno.writeTextFileSync(`${own}/cgroup.freeze`, "1");
    await until("it is frozen", async () => (await runtime.state(id)).status === "paused");
    await runtime.ok(["resume", id]);
    assertEquals(Deno.readTextFileSync(`${own}/cgroup.freeze`), "0\n");
    await until("it runs", async () => (await runtime.state(id)).status === "running");
    await runtime.ok(["delete", "--force", id]);
  });
});
