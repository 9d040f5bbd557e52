/** Logs on a disk that is full: the program goes on, and what is missing is told, to whoever reads the log. */

import { assert, assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { Monitor } from "../../../lib/body/monitor_client.ts";
import { command, until } from "../../support/runtime.ts";
import { runScript, supervisionTest } from "../../support/supervised.ts";

/** Of 6 bytes each. */
const LINES = 400_000;
const SCRIPT = `yes 12345 | head -n ${LINES}; read go; echo after; exit 5`;

supervisionTest("a full disk loses lines, and says how much", async (runtime, bundle) => {
  const helper = await loadHelper();
  const disk = `${bundle.path}/disk`;
  Deno.mkdirSync(disk);
  const mounted = await command(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
  assertEquals([mounted.code, mounted.stderr], [0, ""]);
  try {
    for (const driver of ["cri", "json-file", "raw"]) {
      const log = `${disk}/${driver}.log`;
      const options = ["--log-driver", driver, "--log-path", log, "--log-max-size", "0"];
      const id = await runScript(runtime, bundle, SCRIPT, "--interactive", ...options);
      const control = `${runtime.root}/${id}/processes/init/control`;
      // The program has written all of it, though there is no room, and waits for us.
      let lost = 0;
      await until("all was read", async () => {
        using monitor = await Monitor.connect(helper, `${runtime.root}/${id}/monitor.sock`);
        const status = await monitor.status();
        lost = Number(status.lost);
        return Number(status.written) + lost === LINES * 6;
      });
      Deno.truncateSync(log, 0);
      Deno.writeTextFileSync(control, "close-stdin\n");
      assertEquals(await runtime.ok(["wait", id]), "5\n");
      const { stdout, stderr } = await runtime.run(["logs", id]);
      // It is told as an error, where the form has such.
      const told = driver === "raw" ? /^(\d+) bytes lost\n(after\n)$/.exec(stdout) : undefined;
      if (driver !== "raw") assertEquals(stdout, "after\n");
      const bytes = Number((told ?? /^(\d+) bytes lost\n$/.exec(stderr))?.[1]);
      assert(lost > 0);
      assertEquals(bytes, lost, stdout + stderr);
      await runtime.ok(["delete", id]);
      Deno.removeSync(log);
    }
  } finally {
    await command(["umount", disk]);
  }
});
