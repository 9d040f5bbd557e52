/** top: what containers use, for files and on a terminal. */

import { assertEquals, assertMatch } from "@std/assert";
import { IS_LXC, lxcLine, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { command } from "../../support/runtime.ts";

const HEADING =
  "time_ms,container,cpu_nanos,cpu_sys_userhz,cpu_user_userhz,blkio_bytes,blkio_iops," +
  "mem_used_bytes,memsw_used_bytes,kernel_mem_used_bytes";

Deno.test("-b prints a heading, and a line for each container that runs", async () => {
  await using systems = new Systems();
  for (const name of ["a", "b", "c"]) systems.add(name);
  await systems.start("a");
  await systems.start("b");
  // LXC needs a terminal for it.
  const line = lxcLine("top", ["-P", systems.path, "-b", "-d", "1"]).join(" ");
  const { stdout } = await command(
    ["script", "-qec", `timeout 3 ${line}`, "/dev/null"],
  );
  const [heading, ...lines] = stdout.replaceAll("\r", "").trimEnd().split("\n");
  assertEquals(heading, HEADING);
  // It prints nothing more before it is ended.
  if (IS_LXC) return;
  assertEquals(lines.length >= 2, true);
  assertMatch(lines[0]!, /^\d{13},a,[1-9]\d*(,\d+){7}$/);
  assertMatch(lines[1]!, /^\d{13},b,[1-9]\d*(,\d+){7}$/);
});

// What LXC is told by a pipe it does not hear.
Deno.test("a screen goes with q", RUNTS_LXC_ONLY, async () => {
  await using systems = new Systems();
  systems.add("a");
  await systems.start("a");
  const line = lxcLine("top", ["-P", systems.path, "-d", "60"]).join(" ");
  const { code, stdout } = await command(
    ["script", "-qec", `stty cols 130 rows 20; ${line}`, "/dev/null"],
    { stdin: "q" },
  );
  assertEquals(code, 0);
  assertMatch(stdout, /Container +CPU +CPU +CPU +BlkIO/);
  assertMatch(stdout, /\na +\d+\.\d\d /);
  assertMatch(stdout, /TOTAL 1 of 1/);
});

Deno.test("off a terminal there is no screen", RUNTS_LXC_ONLY, async () => {
  const { code, stderr } = await command(lxcLine("top", []));
  assertEquals([code, stderr], [
    1,
    "runts: lxc top: the standard output is no terminal: use --batch\n",
  ]);
});
