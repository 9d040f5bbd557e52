/**
 * Calls that fail for want of memory, in runts and in init, too little address space, and a system
 * clock that jumps. The message names the cause, and nothing is left on the host.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { runtimeTest } from "../../support/host.ts";
import { command, PROJECT, RUNTS_ONLY } from "../../support/runtime.ts";
import { gcc } from "../../support/stand_in.ts";
import { failCall } from "../../support/strace.ts";

/** Calls of runts (those of its own start-up are left out) and of init. */
const CALLS = "mkdir mknodat chmod flock clone unshare fsopen fsconfig fsmount move_mount " +
  "open_tree mount_setattr openat2 pivot_root sethostname setsid capset execve";
/** Of each, as far as there are so many. */
const TIMES = [1, 2, 3];

runtimeTest("ENOMEM of any call, in runts and in init", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle();
  let refused = 0;
  for (const name of CALLS.split(" ")) {
    for (const nth of TIMES) {
      const id = runtime.id();
      const run = ["--root", runtime.root, "run", "--bundle", bundle.path, id];
      const output = await failCall([runtime.executable, ...run], name, nth, "ENOMEM");
      const { code, stdout, stderr, failed } = output;
      const what = `${name} ${nth}: ${code} ${stderr}`;
      if (code !== 0) {
        refused++;
        assert(failed, what);
        assertEquals({ what, code, stdout }, { what, code: 1, stdout: "" });
        assert(stderr.startsWith(`runts: run "${id}": `), what);
        assertMatch(stderr, /^.*(: ENOMEM \(|: )cannot allocate memory\)?\n$/, what);
      }
      // Without its lock the container cannot be removed in the end, either.
      const left = name === "flock" && nth === 2 ? id : "";
      assertEquals({ what, left: (await runtime.ok(["list", "-q"])).trim() }, { what, left });
      await runtime.ok(["delete", "--force", id]);
    }
  }
  assert(refused > 20, `only ${refused} were refused`);
});

runtimeTest(
  "too little address space is raised or refused, and leaves nothing",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle(idle);
    for (const kilobytes of [300_000, 3_000_000, 30_000_000]) {
      const id = runtime.id();
      const script = `ulimit -v ${kilobytes}; ulimit -c 0; exec "$@"`;
      const create = [
        runtime.executable,
        "--root",
        runtime.root,
        "create",
        "--bundle",
        bundle.path,
      ];
      const { code, stderr } = await command(["bash", "-c", script, "bash", ...create, id]);
      const refusal = `runts: cannot start: raise RLIMIT_AS from ${kilobytes * 1024} to `;
      assert(code === 0 || stderr.startsWith(refusal), `${kilobytes}: ${code} ${stderr}`);
      await runtime.ok(["delete", "--force", id]);
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    }
  },
);

runtimeTest("a clock that jumps by years within each command", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const library = `${bundle.path}/clock_jump.so`;
  await gcc("-shared", "-fPIC", "-O1", "-o", library, `${PROJECT}/tests/payload/clock_jump.c`);
  const env = { LD_PRELOAD: library };
  const loaded = await runtime.run(["features"], { env: { ...env, LD_DEBUG: "files" } });
  assert(loaded.stderr.includes(library), "it is not in use");
  const id = runtime.id();
  const steps: [args: string[], status: string][] = [
    [["create", "--bundle", bundle.path, id], "created"],
    [["start", id], "running"],
    [["pause", id], "paused"],
    [["resume", id], "running"],
    [["exec", id, "true"], "running"],
    [["update", "--pids-limit", "100", id], "running"],
    [["events", "--stats", id], "running"],
  ];
  for (const [args, status] of steps) {
    const { code, stderr } = await runtime.run(args, { env });
    assertEquals({ args, code, stderr }, { args, code: 0, stderr: "" });
    const state = await runtime.run(["state", id], { env });
    assertEquals({ args, status: JSON.parse(state.stdout).status }, { args, status });
  }
  assertEquals((await runtime.run(["delete", "--force", id], { env })).code, 0);
});
