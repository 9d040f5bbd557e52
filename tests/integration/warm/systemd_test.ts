/** The brain as a service of systemd, with the units of the package. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { cgroupTest } from "../../support/cgroups.ts";
import { idle } from "../../support/cold.ts";
import { isRunning, withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { command, PROJECT, RUNTIME, until } from "../../support/runtime.ts";

const UNITS = "/run/systemd/system";
const NAMES = ["runts.socket", "runts.service"];
/** The place that the units have. */
const ENV = { RUNTS_TEST_WARM: "1" };

async function systemctl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(["systemctl", ...args]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
  return stdout.trim();
}

/** With the units of the package, which run the executable under test. */
async function withUnits(
  more: Readonly<Record<string, string>>,
  body: () => Promise<void>,
): Promise<void> {
  const names = [...NAMES, ...Object.keys(more)];
  for (const name of NAMES) {
    const text = Deno.readTextFileSync(`${PROJECT}/packaging/systemd/${name}`);
    Deno.writeTextFileSync(`${UNITS}/${name}`, text.replace("/usr/bin/runts", RUNTIME));
  }
  for (const [name, text] of Object.entries(more)) Deno.writeTextFileSync(`${UNITS}/${name}`, text);
  try {
    await systemctl("daemon-reload");
    await systemctl("start", "runts.socket");
    await body();
  } finally {
    await systemctl("stop", ...names.toReversed());
    for (const name of names) Deno.removeSync(`${UNITS}/${name}`);
    await systemctl("daemon-reload");
  }
}

/** The pid that serves, by its own word. */
async function servingPid(): Promise<string | undefined> {
  const { stdout } = await command([RUNTIME, "serve", "--status"], { env: ENV });
  return /^pid: (\d+)$/m.exec(stdout)?.[1];
}

const mainPid = () => systemctl("show", "--value", "-p", "MainPID", "runts.service");

cgroupTest(
  "a command starts the brain, and its end is nothing to containers",
  ["systemd"],
  () =>
    withUnits({}, () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle(idle);
        const id = runtime.id();
        const run = (...args: string[]) => runtime.ok(args, { env: ENV });
        assertEquals(await mainPid(), "0");
        await run("run", "--detach", "--bundle", bundle.path, id);
        const first = await servingPid();
        assertEquals(await mainPid(), first);
        const supervised = runtime.id();
        await run("create", "--supervised", "--bundle", bundle.path, supervised);
        await run("start", supervised);
        const pids = [(await runtime.state(id)).pid, (await runtime.state(supervised)).pid];
        await systemctl("restart", "runts.service");
        assertEquals(await servingPid() === first, false);
        assertEquals(await run("exec", id, "echo", "again"), "again\n");
        await systemctl("stop", "runts.service", "runts.socket");
        assertEquals(await run("exec", id, "echo", "alone"), "alone\n");
        assertEquals(pids.map(isRunning), [true, true]);
        for (const one of [id, supervised]) await run("delete", "--force", one);
        assertEquals(pids.map(isRunning), [false, false]);
      })),
);

cgroupTest(
  "a unit of Type=notify is ready when its container says so",
  ["systemd"],
  () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.process.args = ["sh", "-c", "payload notify READY=1 && exec sleep 1000"];
      });
      await addPayload(bundle, "payload");
      const id = runtime.id();
      const line = [RUNTIME, "--root", runtime.root, "run", "--bundle", bundle.path, id];
      const unit = [
        ...["[Service]", "Type=notify", "NotifyAccess=all", "TimeoutStartSec=60"],
        ...["Environment=RUNTS_TEST_WARM=1", `ExecStart=${line.join(" ")}`, ""],
      ];
      await withUnits({ "runts-test.service": unit.join("\n") }, async () => {
        await servingPid();
        await systemctl("start", "runts-test.service");
        assertEquals(await systemctl("is-active", "runts-test.service"), "active");
        await runtime.ok(["kill", id, "KILL"]);
        await until(
          "the unit has ended",
          async () =>
            (await command(["systemctl", "is-active", "runts-test.service"])).stdout !== "active\n",
        );
      });
      await runtime.ok(["delete", "--force", id]);
    }),
);
