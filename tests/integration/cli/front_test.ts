/** What the executable does before there is a Deno: the kernel enters it without ld.so. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { command, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";

/** Outside of /tmp, which may be mounted nosuid. */
const ELSEWHERE = "/var/tmp";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ dir: ELSEWHERE, prefix: "runts-front-" });
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("where there is no ld.so, runts says so", RUNTS_ONLY, async () => {
  await withFolder(async (folder) => {
    Deno.copyFileSync(RUNTIME, `${folder}/runts`);
    assertEquals(await command(["chroot", folder, "/runts", "list"]), {
      code: 127,
      stdout: "",
      stderr: `runts: cannot start: open ${loader()}: ENOENT (no such file or directory): runts ` +
        "needs the GNU C library there\n",
    });
  });
});

Deno.test("what is no ld.so is refused", RUNTS_ONLY, async () => {
  await withFolder(async (folder) => {
    Deno.copyFileSync(RUNTIME, `${folder}/runts`);
    const place = `${folder}${loader()}`;
    Deno.mkdirSync(place.slice(0, place.lastIndexOf("/")), { recursive: true });
    const said = async () => (await command(["chroot", folder, "/runts", "list"])).stderr;
    const cannot = (what: string) =>
      `runts: cannot start: ${what} ${loader()}: ENOEXEC (exec format error): runts needs the GNU ` +
      "C library there\n";
    Deno.writeTextFileSync(place, "short");
    assertEquals(await said(), cannot("read"));
    Deno.writeTextFileSync(place, "#!/bin/sh\n".repeat(100));
    assertEquals(await said(), cannot("load"));
  });
});

/** Where ld.so is on this machine. */
function loader(): string {
  return Deno.build.arch === "x86_64"
    ? "/lib64/ld-linux-x86-64.so.2"
    : "/lib/ld-linux-aarch64.so.1";
}

Deno.test("ld.so takes its variables from the caller", RUNTS_ONLY, async () => {
  const env = { LD_PRELOAD: "/nonexistent/library.so" };
  const { code, stdout, stderr } = await command([RUNTIME, "--version"], { env });
  assertEquals(code, 0);
  assertMatch(stdout, /^runts version /);
  assertMatch(stderr, /^ERROR: ld\.so: object '\/nonexistent\/library\.so' .*: ignored\.\n$/);
  const debug = await command([RUNTIME, "--version"], { env: { LD_DEBUG: "libs" } });
  assertMatch(debug.stderr, /calling init: .*libc\.so\.6/);
  assertMatch(debug.stderr, /transferring control: runts\n/);
});

Deno.test("a caller without a name, and one with every descriptor closed", RUNTS_ONLY, async () => {
  for (const shell of ['exec -a "" "$0" --version', '"$0" --version 0<&- 2>&- 3<&-']) {
    const { code, stdout } = await command(["bash", "-c", shell, RUNTIME]);
    assertEquals(code, 0);
    assertMatch(stdout, /^runts version /);
  }
});

Deno.test(
  "a setuid executable starts, and does not load what its caller names",
  RUNTS_ONLY,
  async () => {
    await withFolder(async (folder) => {
      Deno.chmodSync(folder, 0o755);
      Deno.copyFileSync(RUNTIME, `${folder}/runts`);
      Deno.chmodSync(`${folder}/runts`, 0o4755);
      const line = [
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        `${folder}/runts`,
        "--version",
      ];
      const env = { LD_PRELOAD: `${folder}/evil.so`, LD_DEBUG: "all" };
      const { code, stdout, stderr } = await command(line, { env });
      assertEquals(code, 0, stderr);
      assertMatch(stdout, /^runts version /);
      // setpriv itself is no setuid program.
      assert(!stderr.includes("transferring control: runts"), stderr);
    });
  },
);

Deno.test("ldd tells what the executable is linked with", RUNTS_ONLY, async () => {
  const { code, stdout } = await command(["ldd", RUNTIME]);
  assertEquals(code, 0);
  assertMatch(stdout, /libgcc_s\.so\.1 => /);
});
