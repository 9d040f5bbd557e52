/** Seccomp profiles that are at fault, and what `explain` and `features` say of filters. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadSeccomp } from "../../../ffi/seccomp.ts";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { command, type Output, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";
import { allowing, calling, podmanProfile, rule } from "../../support/seccomp.ts";

/** A container whose creation must fail without a trace. */
async function refused(runtime: TestRuntime, profile: Config, annotations = {}): Promise<string> {
  using bundle = new Bundle((config) => {
    calling(profile, [])(config);
    config.annotations = annotations;
  });
  const id = runtime.id();
  const output = await runtime.run(["create", "--bundle", bundle.path, id]);
  assertEquals([output.code, output.stdout], [1, ""]);
  assertEquals((await runtime.run(["state", id])).code, 1);
  return output.stderr.replace(id, "ID");
}

Deno.test("faults of a profile are named", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    const { version } = loadSeccomp();
    const strict = { "run.oci.seccomp_fail_unknown_syscall": "1" };
    const cases: [Config, string, Config?][] = [
      [
        { ...allowing(), architectures: ["SCMP_ARCH_PPC"] },
        'linux.seccomp.architectures[0]: add architecture "SCMP_ARCH_PPC" to the seccomp filter: ' +
        "EDOM (numerical argument out of domain): " +
        "all architectures of a filter must have the same byte order",
      ],
      [
        allowing(rule("frobnicate", "SCMP_ACT_LOG")),
        "linux.seccomp.syscalls[0].names[0]: " +
        `libseccomp ${version} knows no system call "frobnicate"`,
        strict,
      ],
    ];
    for (const [profile, message, annotations] of cases) {
      const stderr = await refused(runtime, profile, annotations);
      assertEquals(stderr, `runts: create "ID": ${message}\n`);
    }
  });
});

Deno.test("a program that the kernel refuses is named", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    const annotations = { "run.oci.seccomp_bpf_data": new Uint8Array(8).toBase64() };
    const hint = ": the kernel knows not all of its flags and instructions";
    for (const noNewPrivileges of [false, true]) {
      using bundle = new Bundle((config) => {
        calling(allowing(), [], noNewPrivileges)(config);
        config.annotations = annotations;
      });
      await addPayload(bundle, "syscalls");
      const id = runtime.id();
      const output = await runtime.run(["run", "--bundle", bundle.path, id]);
      assertEquals(output, {
        code: 1,
        stdout: "",
        stderr: `runts: run "${id}": linux.seccomp: load the seccomp filter: ` +
          `EINVAL (invalid argument)${noNewPrivileges ? "" : hint}\n`,
      });
    }
  });
});

Deno.test("a profile that stops init itself is named", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    const deny = (defaultAction: string) => ({
      defaultAction,
      syscalls: [{ names: ["execve", "exit_group", "writev"], action: "SCMP_ACT_ALLOW" }],
    });
    const cases: [Config, string, noNewPrivileges?: boolean][] = [
      [
        { ...allowing(rule("execve", "SCMP_ACT_KILL_PROCESS")) },
        "init ended before it executed the program: killed by SIGSYS: " +
        "linux.seccomp forbids a system call that comes before the program",
        true,
      ],
      [
        deny("SCMP_ACT_ERRNO"),
        "process.capabilities: read the capabilities: EPERM (operation not permitted): " +
        "linux.seccomp is in force by then; with process.noNewPrivileges it comes last",
      ],
      [
        deny("SCMP_ACT_KILL"),
        "init ended before the container was ready: killed by SIGSYS: " +
        "linux.seccomp forbids a system call that comes before the program " +
        "(last stage completed: namespaces)",
      ],
    ];
    for (const [profile, message, noNewPrivileges = false] of cases) {
      using bundle = new Bundle(calling(profile, [], noNewPrivileges));
      await addPayload(bundle, "syscalls");
      const id = runtime.id();
      const output = await runtime.run(["run", "--bundle", bundle.path, id]);
      const stderr = `runts: run "${id}": ${message}\n`;
      assertEquals(output, { code: 1, stdout: "", stderr });
    }
  });
});

Deno.test("explain prints the filter and leaves nothing behind", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle(calling(allowing(rule("getppid", "SCMP_ACT_ERRNO")), []));
    const explain = (...args: string[]) =>
      runtime.ok(["explain", "--bundle", bundle.path, ...args]);
    const words = await explain("--seccomp");
    assertMatch(words, /^seccomp filter: \d+ instructions; flags SPEC_ALLOW; no listener\n/);
    assertStringIncludes(words, "  EPERM (operation not permitted):\n    getppid\n");
    assertMatch(await explain("--bpf"), /^ *0 {2}load the architecture\n(.*\n)* *\d+ {2}return/);
    delete bundle.config.linux.seccomp;
    bundle.save();
    assertEquals(await explain("--seccomp"), "no seccomp filter\n");
    assertEquals([...Deno.readDirSync(runtime.root)], []);
  });
});

/** Runs the runtime where libseccomp is an empty file. */
async function withoutLibrary(args: readonly string[]): Promise<Output> {
  loadSeccomp();
  const library = /\/\S+\/libseccomp\.so\S*/.exec(Deno.readTextFileSync("/proc/self/maps"))![0];
  const script = 'mount --bind /dev/null "$0" && exec "$@"';
  const unshare = ["unshare", "-m", "--propagation", "slave", "sh", "-c", script, library];
  return await command([...unshare, RUNTIME, ...args]);
}

Deno.test("without libseccomp a profile is an error, and nothing else is", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle(calling(podmanProfile(), ["status"]));
    await addPayload(bundle, "syscalls");
    const id = runtime.id();
    const run = ["--root", runtime.root, "run", "--bundle", bundle.path, id];
    await runtime.ok(run.slice(2)); // a filter that is known is of no use either
    const { code, stdout, stderr } = await withoutLibrary(run);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /^runts: run "\S+": linux\.seccomp: load "libseccomp\.so\.2": \S+: file too short: install libseccomp 2\.5 or newer, or remove linux\.seccomp\n$/,
    );
    const features = JSON.parse((await withoutLibrary(["features"])).stdout);
    assertEquals(features.linux.seccomp.enabled, false);
    assertEquals(features.linux.seccomp.archs, []);
    delete bundle.config.linux.seccomp;
    bundle.save();
    assertStringIncludes((await withoutLibrary(run)).stdout, "Seccomp:\t0\n");
  });
});
