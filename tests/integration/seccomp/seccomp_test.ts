/** Seccomp filters, as the program inside sees them. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { PEER, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { allowing, calling, number, podmanProfile, rule } from "../../support/seccomp.ts";

const SIGSYS = 31;

/** What becomes of system calls under a profile, line by line. */
async function results(
  runtime: TestRuntime,
  profile: Config,
  calls: string[],
  noNewPrivileges = true,
): Promise<string[]> {
  using bundle = new Bundle(calling(profile, calls, noNewPrivileges));
  await addPayload(bundle, "syscalls");
  const output = await runtime.run(["run", "--bundle", bundle.path, runtime.id()]);
  assertEquals([output.code, output.stderr], [0, ""]);
  return output.stdout.trimEnd().split("\n");
}

Deno.test("actions do what they say", async () => {
  await withRuntime(async (runtime) => {
    const names = [
      "getppid",
      "getuid",
      "geteuid",
      "getgid",
      "getegid",
      "getpgrp",
      "getsid",
      "sync",
    ];
    const profile = allowing(
      rule("getppid", "SCMP_ACT_ERRNO"),
      rule("getuid", "SCMP_ACT_ERRNO", { errnoRet: 77 }),
      rule("geteuid", "SCMP_ACT_LOG"),
      rule("getgid", "SCMP_ACT_TRAP"),
      rule("getegid", "SCMP_ACT_KILL"),
      rule("getpgrp", "SCMP_ACT_KILL_PROCESS"),
      rule("getsid", "SCMP_ACT_KILL_THREAD"),
      rule("sync", "SCMP_ACT_TRACE"),
    );
    const calls = names.map((name) => `!${number(name)}`);
    assertEquals(await results(runtime, profile, calls), [
      "errno 1",
      "errno 77",
      "0",
      `SIGSYS ${number("getgid")}`,
      `signal ${SIGSYS}`,
      `signal ${SIGSYS}`,
      `signal ${SIGSYS}`,
      "errno 38", // nobody traces
    ]);
  });
});

Deno.test("arguments are compared, with and without no_new_privs", async () => {
  await withRuntime(async (runtime) => {
    const args = (op: string, value: number, valueTwo = 0) => ({
      errnoRet: 77,
      args: [{ index: 0, op, value, valueTwo }],
    });
    const profile = allowing(
      rule("umask", "SCMP_ACT_ERRNO", args("SCMP_CMP_EQ", 5)),
      rule("alarm", "SCMP_ACT_ERRNO", args("SCMP_CMP_GT", 5)),
      rule("setpgid", "SCMP_ACT_ERRNO", {
        errnoRet: 77,
        args: [
          { index: 0, op: "SCMP_CMP_EQ", value: 4194303 },
          { index: 1, op: "SCMP_CMP_NE", value: 7 },
        ],
      }),
      rule("getpgid", "SCMP_ACT_ERRNO", args("SCMP_CMP_MASKED_EQ", 0xf0, 0x20)),
    );
    const calls = [["umask", 5], ["umask", 0], ["alarm", 5], ["alarm", 6]]
      .concat([["getpgid", 0x2f], ["getpgid", 0]])
      .map(([name, value]) => `${number(String(name))},${value}`);
    const both = ["4194303,8", "4194303,7"].map((values) => `${number("setpgid")},${values}`);
    for (const noNewPrivileges of [true, false]) {
      const lines = await results(runtime, profile, [...calls, ...both], noNewPrivileges);
      assertEquals([lines[0], lines[2], lines[3], lines[4], lines[5]], [
        "errno 77",
        "0",
        "errno 77",
        "errno 77",
        "1",
      ]);
      assertMatch(lines[1]!, /^\d+$/);
      assertEquals(lines.slice(6), ["errno 77", "errno 3"]);
    }
  });
});

Deno.test("podman's profile: EPERM for what it denies, ENOSYS for the rest", async () => {
  await withRuntime(async (runtime) => {
    const calls = ["kexec_load", "add_key", "swapon"].map((name) => `${number(name)}`);
    for (const noNewPrivileges of [true, false]) {
      const lines = await results(runtime, podmanProfile(), [...calls, "9999"], noNewPrivileges);
      assertEquals(lines, ["errno 1", "errno 38", "errno 1", "errno 38"]);
    }
  });
});

Deno.test("ENOSYS for what is newer than a profile that says EPERM", {
  ignore: PEER === "crun",
}, async () => {
  await withRuntime(async (runtime) => {
    const { defaultErrnoRet: _, ...profile } = podmanProfile();
    const calls = [`${number("swapon")}`, "9999", "-1"];
    assertEquals(await results(runtime, profile, calls), ["errno 1", "errno 38", "errno 38"]);
  });
});

Deno.test("the filter costs no capability and leaves none behind", async () => {
  await withRuntime(async (runtime) => {
    for (const noNewPrivileges of [true, false]) {
      const lines = await results(runtime, podmanProfile(), ["status"], noNewPrivileges);
      assertEquals(lines, [
        "CapPrm:\t0000000020000420",
        "CapEff:\t0000000020000420",
        `NoNewPrivs:\t${Number(noNewPrivileges)}`,
        "Seccomp:\t2",
      ]);
    }
  });
});

Deno.test("a user without capabilities can be filtered", async () => {
  await withRuntime(async (runtime) => {
    for (const noNewPrivileges of [true, false]) {
      using bundle = new Bundle((config) => {
        calling(podmanProfile(), ["status", `${number("kexec_load")}`], noNewPrivileges)(config);
        config.process.user = { uid: 1000, gid: 1000 };
        config.process.capabilities = {};
      });
      await addPayload(bundle, "syscalls");
      const output = await runtime.run(["run", "--bundle", bundle.path, runtime.id()]);
      assertEquals([output.code, output.stderr], [0, ""]);
      assertStringIncludes(output.stdout, "CapEff:\t0000000000000000\n");
      assertStringIncludes(output.stdout, "Seccomp:\t2\nerrno 1\n");
    }
  });
});

Deno.test("exec is filtered too", async () => {
  await withRuntime(async (runtime) => {
    const profile = allowing(rule("getpgrp", "SCMP_ACT_ERRNO", { errnoRet: 77 }));
    for (const noNewPrivileges of [true, false]) {
      using bundle = new Bundle((config) => {
        calling(profile, [], noNewPrivileges)(config);
        config.process.args = ["sleep", "1000"];
      });
      await addPayload(bundle, "syscalls");
      const id = runtime.id();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      const args = ["/bin/syscalls", `${number("getpgrp")}`, "status"];
      const lines = (await runtime.ok(["exec", id, ...args])).split("\n");
      assertEquals([lines[0], lines[4]], ["errno 77", "Seccomp:\t2"]);
      // crun does not take it over from the container's process.
      if (PEER !== "crun") assertEquals(lines[3], `NoNewPrivs:\t${Number(noNewPrivileges)}`);
      await runtime.ok(["delete", "--force", id]);
    }
  });
});

Deno.test("what the runtime itself needs may be denied to the program", async () => {
  await withRuntime(async (runtime) => {
    const denied = ["fsopen", "fsconfig", "fsmount", "move_mount", "open_tree", "mount_setattr"]
      .concat(["mount", "umount2", "pivot_root", "openat2", "close_range", "setns", "unshare"])
      .concat(["clone3", "pidfd_open", "pidfd_getfd", "memfd_create", "keyctl", "setgroups"]);
    const profile = allowing({ names: denied, action: "SCMP_ACT_ERRNO", errnoRet: 77 });
    // runc still needs some of them when it loads the filter early.
    for (const noNewPrivileges of PEER === "runc" ? [true] : [true, false]) {
      const calls = denied.map((name) => `${number(name)}`);
      const lines = await results(runtime, profile, calls, noNewPrivileges);
      assertEquals(lines, denied.map(() => "errno 77"));
    }
  });
});

Deno.test("unknown system calls in a profile are left out", async () => {
  await withRuntime(async (runtime) => {
    const profile = allowing({
      names: ["no_such_call", "getppid"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 77,
    });
    assertEquals(await results(runtime, profile, [`${number("getppid")}`]), ["errno 77"]);
  });
});

Deno.test("a killed program is reported by its signal", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle(
      calling(allowing(rule("getppid", "SCMP_ACT_KILL_PROCESS")), [`${number("getppid")}`]),
    );
    await addPayload(bundle, "syscalls");
    const output = await runtime.run(["run", "--bundle", bundle.path, runtime.id()]);
    assertEquals([output.code, output.stdout], [128 + SIGSYS, ""]);
  });
});

Deno.test("a program of one's own is loaded instead of the profile", {
  ignore: PEER === "runc",
}, async () => {
  await withRuntime(async (runtime) => {
    // ld [0]; jeq #getppid, 0, 1; ret ERRNO 76; ret ALLOW
    const program = new Uint8Array(32);
    const view = new DataView(program.buffer);
    const words = [0x20, 0, 0x15 | 1 << 24, number("getppid"), 6, 0x5004c, 6, 0x7fff0000];
    words.forEach((word, index) => view.setUint32(index * 4, word, true));
    using bundle = new Bundle((config) => {
      calling(allowing(rule("getppid", "SCMP_ACT_KILL")), [`${number("getppid")}`])(config);
      config.annotations = { "run.oci.seccomp_bpf_data": program.toBase64() };
    });
    await addPayload(bundle, "syscalls");
    const output = await runtime.run(["run", "--bundle", bundle.path, runtime.id()]);
    assertEquals(output, { code: 0, stdout: "errno 76\n", stderr: "" });
  });
});

Deno.test("filters are kept in the state root, which lists as before", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    for (let times = 0; times < 2; times++) {
      await results(runtime, podmanProfile(), [`${number("kexec_load")}`]);
      assertEquals([...Deno.readDirSync(`${runtime.root}/.seccomp`)].length, 1);
    }
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
    const [{ name } = { name: "" }] = Deno.readDirSync(`${runtime.root}/.seccomp`);
    Deno.writeTextFileSync(`${runtime.root}/.seccomp/${name}`, "{}\n[]\nAAAA\n0\n");
    const lines = await results(runtime, podmanProfile(), [`${number("kexec_load")}`]);
    assertEquals(lines, ["errno 1"]);
  });
});

Deno.test("a filter is there before the program's first system call", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      calling(podmanProfile(), [])(config);
      config.process.args = ["sleep", "1000"];
    });
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    await runtime.ok(["start", id]);
    const status = () => Deno.readTextFileSync(`/proc/${pid}/status`);
    await until("sleep runs", () => status().startsWith("Name:\tsleep"));
    assert(status().includes("Seccomp:\t2"));
    await runtime.ok(["delete", "--force", id]);
  });
});
