/** The notify socket of service managers (sd_notify(3)). */

import { assertEquals } from "@std/assert";
import { type Helper, loadHelper } from "../../../ffi/helper.ts";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";

/** A socket of a service manager, and a container that was created with it in sight. */
interface Managed {
  readonly runtime: TestRuntime;
  readonly helper: Helper;
  readonly id: string;
  readonly bundle: Bundle;
  readonly env: Readonly<Record<string, string>>;
  /** The next message; its descriptors are closed. */
  next(): Promise<string[]>;
}

async function withManager(
  script: string,
  body: (managed: Managed) => Promise<void>,
): Promise<void> {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config: Config) => config.process.args = ["sh", "-c", script]);
    await addPayload(bundle, "payload");
    const helper = await loadHelper();
    const path = `${bundle.path}/manager`;
    const socket = helper.bindDatagram(path, 0o600);
    const env = { NOTIFY_SOCKET: path };
    const id = runtime.id();
    const next = async () => {
      await helper.awaitFds([socket], { timeoutMs: 60_000 });
      const { bytes, fds } = helper.receiveDatagram(socket, 0);
      for (const fd of fds) helper.close(fd);
      return new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "");
    };
    try {
      await runtime.ok(["create", "--bundle", bundle.path, id], { env });
      await body({ runtime, helper, id, bundle, env, next });
      await runtime.ok(["delete", "--force", id]);
    } finally {
      helper.close(socket);
    }
  });
}

Deno.test("start waits for READY and names init as the main process", {
  ignore: PEER === "crun", // crun 1.8 has bound its socket at create and waits in vain here
}, async () => {
  const script = "payload notify READY=1; sleep 1000";
  await withManager(script, async ({ runtime, id, env, next }) => {
    await runtime.ok(["start", id], { env });
    const { pid } = await runtime.state(id);
    const first = await next();
    assertEquals(first[0], "READY=1");
    // runc says MAINPID in a message of its own.
    const main = first[1] ?? (await next())[0];
    assertEquals(main, `MAINPID=${pid}`);
  });
});

Deno.test("STATUS comes through, the container's own MAINPID does not", RUNTS_ONLY, async () => {
  const script = "payload notify STATUS=half; " +
    "payload notify \"$(printf 'MAINPID=1\\nSTATUS=done\\nREADY=1')\"; sleep 1000";
  await withManager(script, async ({ runtime, id, env, next }) => {
    await runtime.ok(["start", id], { env });
    const { pid } = await runtime.state(id);
    assertEquals(await next(), ["STATUS=half"]);
    assertEquals(await next(), ["STATUS=done", "READY=1", `MAINPID=${pid}`]);
  });
});

Deno.test("a message may be long", RUNTS_ONLY, async () => {
  const script = "long=$(head -c 100000 /dev/zero | busybox tr '\\0' x); " +
    'payload notify "$(printf "STATUS=%s\\nREADY=1" "$long")"; sleep 1000';
  await withManager(script, async ({ runtime, id, env, next }) => {
    await runtime.ok(["start", id], { env });
    const { pid } = await runtime.state(id);
    const [status, ...rest] = await next();
    assertEquals([status!.length, rest], [100_007, ["READY=1", `MAINPID=${pid}`]]);
  });
});

Deno.test("a barrier is passed on with its descriptor", RUNTS_ONLY, async () => {
  const script = "payload notify BARRIER=1 barrier ; payload notify READY=1; sleep 1000";
  await withManager(script, async ({ runtime, id, env, next }) => {
    const started = runtime.run(["start", id], { env });
    assertEquals(await next(), ["BARRIER=1"]); // the container goes on once this end is closed
    assertEquals((await next())[0], "READY=1");
    assertEquals(await started, { code: 0, stdout: "", stderr: "" });
  });
});

Deno.test("start does not wait for a container that ends without a word", RUNTS_ONLY, async () => {
  await withManager("exit 0", async ({ runtime, id, env }) => {
    await runtime.ok(["start", id], { env });
    await runtime.untilStopped(id);
  });
});

Deno.test("the program is told of its socket, not of the manager's", RUNTS_ONLY, async () => {
  await withManager("payload notify READY=1; sleep 1000", async ({ runtime, id, env, next }) => {
    await runtime.ok(["start", id], { env });
    await next();
    const environment = (await runtime.ok(["exec", id, "cat", "/proc/1/environ"])).split("\0");
    const told = environment.filter((entry) => entry.startsWith("NOTIFY_SOCKET="));
    assertEquals(told, ["NOTIFY_SOCKET=/run/notify/notify.sock"]);
  });
});

/** What becomes of the manager's socket before the program is ready, and what is said of it. */
const REFUSALS: [name: string, refuse: (path: string) => void, error: string][] = [
  ["nobody reads", () => {}, "ECONNREFUSED (connection refused)"],
  ["is gone", (path) => Deno.removeSync(path), "ENOENT (no such file or directory)"],
  ["is no socket", (path) => {
    Deno.removeSync(path);
    Deno.writeTextFileSync(path, "");
  }, "ECONNREFUSED (connection refused)"],
];

for (const [name, refuse, error] of REFUSALS) {
  for (const verb of ["start", "run --detach", "run"]) {
    Deno.test(`${verb} succeeds although the manager's socket ${name}`, RUNTS_ONLY, async () => {
      await withRuntime(async (runtime) => {
        const script = "payload notify STATUS=half; payload notify READY=1; " +
          (verb === "run" ? "exit 7" : "sleep 1000");
        using bundle = new Bundle((config: Config) => config.process.args = ["sh", "-c", script]);
        await addPayload(bundle, "payload");
        const helper = await loadHelper();
        const path = `${bundle.path}/manager`;
        helper.close(helper.bindDatagram(path, 0o600));
        const env = { NOTIFY_SOCKET: path };
        const id = runtime.id();
        if (verb === "start") await runtime.ok(["create", "--bundle", bundle.path, id], { env });
        refuse(path);
        const words = verb === "start"
          ? ["start", id]
          : [...verb.split(" "), "--bundle", bundle.path, id];
        assertEquals(await runtime.run(words, { env }), {
          code: verb === "run" ? 7 : 0,
          stdout: "",
          stderr: "runts: warning: pass on the container's messages to NOTIFY_SOCKET: " +
            `send to socket "${path}": ${error}\n`,
        });
        if (verb === "run") return;
        assertEquals((await runtime.state(id)).status, "running");
        await runtime.ok(["delete", "--force", id]);
      });
    });
  }
}

Deno.test(
  "a container can be started although a start was killed that had its socket",
  RUNTS_ONLY,
  async () => {
    await withManager("payload notify READY=1; sleep 1000", async ({ runtime, id, env, next }) => {
      const helper = await loadHelper();
      helper.close(helper.bindDatagram(`${runtime.root}/${id}/notify/notify.sock`, 0o777));
      assertEquals(await runtime.run(["start", id], { env }), { code: 0, stdout: "", stderr: "" });
      assertEquals((await next())[0], "READY=1");
    });
  },
);
