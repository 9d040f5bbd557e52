/** Profiles that refuse what init itself needs: every command ends, and says why. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { hook } from "../../support/hooks.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";
import { addPayload } from "../../support/payload.ts";
import { allowing, calling, rule } from "../../support/seccomp.ts";

/** For what took for ever. */
const TIMEOUT = 20_000;
/** 0: a call seems to succeed; EPERM, EINTR, EAGAIN, ENOSYS. */
const ERRNOS = [0, 1, 4, 11, 38];
const MUTE = "linux.seccomp refuses what comes before the program, and what it takes to say so";
const HOOK_HINT = "linux.seccomp is in force by then: it must allow what it takes to run a hook";

/** Every call gets the same answer. */
function refusing(errno: number): Config {
  return { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: errno };
}

/** One call gets this answer. */
function without(name: string, errno: number): Config {
  return allowing(rule(name, "SCMP_ACT_ERRNO", { errnoRet: errno }));
}

/** What a command said, and its exit code, without what varies. */
async function said(runtime: TestRuntime, id: string, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runtime.run(words, { timeout: TIMEOUT });
  assertEquals(stdout, "");
  return `${code} ${stderr.trimEnd()}`.replaceAll(id, "ID").replace(/SIG(ILL|TRAP)/, "SIGILL");
}

/** A bundle with this profile, and perhaps a hook that succeeds. */
function bundleWith(profile: Config, noNewPrivileges: boolean, hooked = false): Bundle {
  return new Bundle((config) => {
    calling(profile, [], noNewPrivileges)(config);
    config.process.args = ["true"];
    if (hooked) config.hooks = { startContainer: [{ path: "/bin/true" }] };
  });
}

Deno.test({
  name: "a profile that refuses everything fails at once",
  ignore: PEER === "crun", // 1.8 leaves a container that it says is running
  fn: () =>
    withRuntime(async (runtime) => {
      for (const errno of ERRNOS.slice(1)) {
        using bundle = bundleWith(refusing(errno), true);
        const id = runtime.id();
        const words = ["run", "--bundle", bundle.path, id];
        const { code, stdout } = await runtime.run(words, { timeout: TIMEOUT });
        assertEquals([code !== 0, code === 137, stdout], [true, false, ""]);
        await runtime.run(["delete", "--force", id]);
      }
    }),
});

Deno.test(
  "a profile that refuses everything: run, with and without hooks",
  RUNTS_ONLY,
  async () => {
    await withRuntime(async (runtime) => {
      for (const noNewPrivileges of [true, false]) {
        const message = noNewPrivileges
          ? `init ended before it executed the program: killed by SIGILL: ${MUTE}`
          : `init ended before the container was ready: killed by SIGILL: ${MUTE} ` +
            "(last stage completed: namespaces)";
        for (const errno of ERRNOS) {
          for (const hooked of [false, true]) {
            using bundle = bundleWith(refusing(errno), noNewPrivileges, hooked);
            const id = runtime.id();
            assertEquals(
              await said(runtime, id, ["run", "--bundle", bundle.path, id]),
              `1 runts: run "ID": ${message}`,
            );
            assertEquals((await runtime.run(["state", id])).code, 1);
          }
        }
      }
    });
  },
);

Deno.test("a profile that refuses everything: create, start and exec", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    for (const errno of ERRNOS) {
      using bundle = bundleWith(refusing(errno), true);
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      assertEquals(
        await said(runtime, id, ["exec", id, "true"]),
        '255 runts: exec "ID": init ended before it executed the program: killed by SIGILL: ' +
          `${MUTE} (last stage completed: ready)`,
      );
      const message = await said(runtime, id, ["start", id]);
      // The parent of init may have reaped it: how it ended is then known since Linux 6.15.
      assertEquals(
        message.replace(/pid \d+ is gone$/, `killed by SIGILL: ${MUTE}`),
        `1 runts: start "ID": init ended before it executed the program: killed by SIGILL: ${MUTE}`,
      );
      assertEquals((await runtime.state(id)).status, "stopped");
      await runtime.ok(["delete", id]);
    }
  });
});

Deno.test("init says what failed by whatever the profile allows", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    const denied = (...names: string[]) =>
      allowing(...names.map((name) => rule(name, "SCMP_ACT_ERRNO", { errnoRet: 1 })));
    const refused = '1 runts: run "ID": process.args: exec: "/bin/true": operation not permitted';
    for (const noNewPrivileges of [true, false]) {
      for (const one of ["write", "writev", "exit_group", "read"]) {
        if (one === "read" && !noNewPrivileges) continue; // nothing else waits at the fifo
        using bundle = bundleWith(denied("execve", one), noNewPrivileges);
        const id = runtime.id();
        assertEquals(await said(runtime, id, ["run", "--bundle", bundle.path, id]), refused, one);
      }
    }
  });
});

Deno.test("without the calls that a hook takes it fails in words", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    const calls = ["pipe2", "memfd_create", "fcntl", "execve", "wait4", "pidfd_open", "write"];
    const tried = (name: string) => name === "execve" ? "" : 'run "/bin/true": ';
    for (const noNewPrivileges of [true, false]) {
      for (const name of calls) {
        for (
          const [errno, text] of [[1, "EPERM (operation not permitted)"], [
            4,
            "EINTR (interrupted system call)",
          ]] as const
        ) {
          using bundle = bundleWith(without(name, errno), noNewPrivileges, true);
          const id = runtime.id();
          assertEquals(
            await said(runtime, id, ["run", "--bundle", bundle.path, id]),
            `1 runts: run "ID": hooks.startContainer[0]: hook "/bin/true": ` +
              `${tried(name)}${text}: ${HOOK_HINT}`,
            name,
          );
        }
      }
    }
  });
});

Deno.test("limits that wait for hooks take prlimit64", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    for (
      const [hooked, message] of [
        [false, "0 "],
        [
          true,
          '1 runts: run "ID": hooks.startContainer[0]: hook "/bin/true": ' +
          `EPERM (operation not permitted): ${HOOK_HINT}`,
        ],
      ] as const
    ) {
      using bundle = bundleWith(without("prlimit64", 1), true, hooked);
      bundle.config.process.rlimits = [{ type: "RLIMIT_FSIZE", soft: 0, hard: 0 }];
      bundle.save();
      const id = runtime.id();
      assertEquals(await said(runtime, id, ["run", "--bundle", bundle.path, id]), message);
    }
  });
});

Deno.test("no answer to pidfd_open lets a hook go on for ever", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    for (
      const [errno, text] of [
        [3, "ESRCH (no such process)"],
        [0, "EIO (input/output error)"],
      ] as const
    ) {
      using bundle = bundleWith(without("pidfd_open", errno), true);
      bundle.config.hooks = {
        startContainer: [{ path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1 }],
      };
      bundle.save();
      const id = runtime.id();
      assertEquals(
        await said(runtime, id, ["run", "--bundle", bundle.path, id]),
        `1 runts: run "ID": hooks.startContainer[0]: hook "/bin/sleep": run "/bin/sleep": ${text}: ` +
          HOOK_HINT,
      );
    }
  });
});

Deno.test("a hook that cannot be killed does not hold its container up", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = bundleWith(without("kill", 1), true);
    bundle.config.hooks = {
      startContainer: [{ path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1 }],
    };
    bundle.save();
    const id = runtime.id();
    assertEquals(
      await said(runtime, id, ["run", "--bundle", bundle.path, id]),
      '1 runts: run "ID": hooks.startContainer[0]: hook "/bin/sleep": timed out after 1 s',
    );
  });
});

for (const noNewPrivileges of [true, false]) {
  Deno.test({
    name: `startContainer hooks run under the filter, noNewPrivileges ${noNewPrivileges}`,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = bundleWith(without("acct", 1), noNewPrivileges);
        await addPayload(bundle, "syscalls");
        const seen = hook(
          "grep -h ^Seccomp: /proc/self/status | busybox tr '\\t' ' ' >/dev/shm/seen",
        );
        bundle.config.hooks = { startContainer: [{ ...seen, env: ["PATH=/bin"] }] };
        bundle.config.process.args = ["sh", "-c", "cat /dev/shm/seen"];
        bundle.save();
        const id = runtime.id();
        assertEquals(await runtime.ok(["run", "--bundle", bundle.path, id]), "Seccomp: 2\n");
      }),
  });
}
