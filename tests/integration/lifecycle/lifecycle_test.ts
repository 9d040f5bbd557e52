/** create, start, state, list, kill, delete, run: what any OCI runtime does. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { PEER, until } from "../../support/runtime.ts";
import { untilCaught } from "../../support/seen.ts";

const SIGTERM = 15;
const LOOP = ["sh", "-c", "trap 'exit 7' TERM; while true; do sleep 0.02; done"];

async function statusOf(runtime: TestRuntime, id: string): Promise<string> {
  return (await runtime.state(id)).status;
}

Deno.test("a container goes through its whole life", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = LOOP);
    const id = runtime.id();
    const pidFile = `${bundle.path}/pid`;
    await runtime.ok(["create", "--bundle", bundle.path, "--pid-file", pidFile, id]);
    const created = await runtime.state(id);
    assertEquals(created.status, "created");
    assertEquals(created.id, id);
    assertEquals(created.bundle, bundle.path);
    assertEquals(Deno.readTextFileSync(pidFile), String(created.pid));
    await runtime.ok(["start", id]);
    assertEquals(await statusOf(runtime, id), "running");
    await untilCaught(created.pid, SIGTERM);
    await runtime.ok(["kill", id, "TERM"]);
    await until("it has stopped", async () => await statusOf(runtime, id) === "stopped");
    assertEquals((await runtime.state(id)).pid ?? 0, 0);
    await runtime.ok(["delete", id]);
    assertEquals((await runtime.run(["state", id])).code, 1);
  });
});

Deno.test("the program does not run before start", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      config.process.args = ["touch", "/tmp/ran"];
      config.root.readonly = false;
    });
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    assertEquals([...Deno.readDirSync(`${bundle.rootfs}/tmp`)], []);
    // What was read at create counts, not what is there now.
    bundle.config.process.args = ["false"];
    bundle.save();
    await runtime.ok(["start", id]);
    await until("it has stopped", async () => await statusOf(runtime, id) === "stopped");
    assertEquals([...Deno.readDirSync(`${bundle.rootfs}/tmp`)].length, 1);
    await runtime.ok(["delete", id]);
  });
});

Deno.test("run passes on output and exit code", async () => {
  await withRuntime(async (runtime) => {
    const output = await runtime.container((config) => {
      config.process.args = ["sh", "-c", "echo out; echo err >&2; exit 3"];
    });
    assertEquals(output, { code: 3, stdout: "out\n", stderr: "err\n" });
  });
});

Deno.test("run gives 128 and the signal for a program that was killed", async () => {
  await withRuntime(async (runtime) => {
    const output = await runtime.container((config) => {
      config.process.args = ["sh", "-c", "kill -9 $$; sleep 5"];
      config.linux.namespaces = config.linux.namespaces.filter(
        (namespace: { type: string }) => namespace.type !== "pid",
      );
    });
    assertEquals(output.code, 137);
  });
});

Deno.test("run reads its standard input", async () => {
  await withRuntime(async (runtime) => {
    const output = await runtime.container((config) => config.process.args = ["cat"], {
      stdin: "x".repeat(300_000),
    });
    assertEquals(output.stdout.length, 300_000);
    assertEquals(output.code, 0);
  });
});

Deno.test("run --detach leaves a running container", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = LOOP);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    assertEquals(await statusOf(runtime, id), "running");
    await runtime.ok(["delete", "--force", id]);
  });
});

Deno.test("start refuses a container that is running or has stopped", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = LOOP);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const running = await runtime.run(["start", id]);
    assertEquals(running.code, 1);
    if (PEER !== "crun") {
      assertStringIncludes(running.stderr, "cannot start an already running container");
    }
    await runtime.ok(["kill", id, "9"]);
    await until("it has stopped", async () => await statusOf(runtime, id) === "stopped");
    const stopped = await runtime.run(["start", id]);
    assertEquals(stopped.code, 1);
    if (PEER !== "crun") {
      assertStringIncludes(stopped.stderr, "cannot start a container that has stopped");
    }
    await runtime.ok(["delete", id]);
  });
});

Deno.test("kill takes names with and without SIG, and numbers", async () => {
  await withRuntime(async (runtime) => {
    for (const signal of ["TERM", "SIGTERM", "15"]) {
      using bundle = new Bundle((config) => config.process.args = LOOP);
      const id = runtime.id();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      await untilCaught((await runtime.state(id)).pid, SIGTERM);
      await runtime.ok(["kill", id, signal]);
      await until("it has stopped", async () => await statusOf(runtime, id) === "stopped");
      const again = await runtime.run(["kill", id, signal]);
      assertEquals(again.code, 1);
      if (PEER !== "crun") assertStringIncludes(again.stderr, "container not running");
      await runtime.ok(["delete", id]);
    }
  });
});

Deno.test("delete refuses a running container, and with --force removes it", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = LOOP);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const refused = await runtime.run(["delete", id]);
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, /not (in )?`?stopped/);
    assertEquals(await statusOf(runtime, id), "running");
    await runtime.ok(["delete", "--force", id]);
    await runtime.ok(["delete", "--force", id]);
    const gone = await runtime.run(["delete", id]);
    assertEquals(gone.code, 1);
    if (PEER !== "crun") assertStringIncludes(gone.stderr, "does not exist");
  });
});

Deno.test("list shows the containers of the root", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = LOOP);
    const ids = [runtime.id(), runtime.id()];
    await runtime.ok(["create", "--bundle", bundle.path, ids[0]!]);
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, ids[1]!]);
    const rows = JSON.parse(await runtime.ok(["list", "--format", "json"]));
    assertEquals(
      rows.map((row: { id: string; status: string }) => [row.id, row.status]).sort(),
      [[ids[0], "created"], [ids[1], "running"]],
    );
    assertEquals((await runtime.ok(["list", "--quiet"])).trim().split("\n").sort(), ids);
    const table = await runtime.ok(["list"]);
    for (const id of ids) assertMatch(table, new RegExp(`^${id} `, "m"));
    for (const id of ids) await runtime.ok(["delete", "--force", id]);
  });
});

Deno.test({
  name: "a container whose id begins with a dot is listed",
  ignore: PEER === "crun",
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = LOOP);
      const id = `.${runtime.id()}`;
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      assertEquals(await runtime.ok(["list", "--quiet"]), `${id}\n`);
      await runtime.ok(["delete", "--force", id]);
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    }),
});

Deno.test("a second container of the same id is refused and the first is left alone", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = LOOP);
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const second = await runtime.run(["create", "--bundle", bundle.path, id]);
    assertEquals(second.code, 1);
    assertMatch(second.stderr, /already exists/);
    assertEquals(await statusOf(runtime, id), "created");
    await runtime.ok(["delete", "--force", id]);
  });
});

// runc 1.1 puts a file in its place.
Deno.test("a device as pid file stays a device", { ignore: PEER === "runc" }, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = LOOP);
    const id = runtime.id();
    const pidFile = `${bundle.path}/null`;
    const made = new Deno.Command("mknod", { args: [pidFile, "c", "1", "3"] });
    assertEquals((await made.output()).code, 0);
    await runtime.ok(["create", "--bundle", bundle.path, "--pid-file", pidFile, id]);
    assertEquals(Deno.lstatSync(pidFile).isCharDevice, true);
    await runtime.ok(["delete", "--force", id]);
    const full = `${bundle.path}/full`;
    const fullMade = new Deno.Command("mknod", { args: [full, "c", "1", "7"] });
    assertEquals((await fullMade.output()).code, 0);
    const output = await runtime.run(["create", "--bundle", bundle.path, "--pid-file", full, id]);
    assertEquals(output.code, 1);
    if (PEER === "runts") {
      const said = `runts: create "${id}": write pid file "${full}": ` +
        "ENOSPC (no space left on device)\n";
      assertEquals(output.stderr, said);
    }
  });
});

Deno.test("annotations appear in the state", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.annotations = { "org.example.a": "b" });
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    assertEquals((await runtime.state(id)).annotations, { "org.example.a": "b" });
    await runtime.ok(["delete", "--force", id]);
  });
});
