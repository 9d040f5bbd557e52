/** Bind mounts with a user namespace, which locks the attributes of what the host has mounted. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { readMounts, userNamespace } from "../../support/inside.ts";
import { command, commandLine, type Output, RUNTS_ONLY } from "../../support/runtime.ts";

/** Runs a container that binds a mount of the host with these attributes. */
async function bound(
  runtime: TestRuntime,
  source: string,
  options: readonly string[],
  below?: string,
): Promise<Output> {
  const host = Deno.makeTempDirSync({ prefix: "runts-locked-" });
  Deno.chmodSync(host, 0o755);
  try {
    using bundle = new Bundle((config) => {
      userNamespace(config);
      config.process.args = ["cat", "/proc/self/mountinfo"];
      config.mounts.push({ destination: "/m", type: "bind", source: host, options });
    });
    Deno.mkdirSync(`${bundle.rootfs}/m`);
    const line = commandLine(runtime.executable, ["--root", runtime.root, "run"]);
    const mount = `mount -t tmpfs -o mode=755 t ${host} && ` +
      (below ? `mkdir ${host}/b && mount -t tmpfs -o ${below} b ${host}/b && ` : "") +
      `mount -o remount,bind,${source} ${host} && exec "$@"`;
    const output = await command([
      ...["unshare", "-m", "--propagation", "private", "sh", "-c", mount, "sh"],
      ...[...line, "--bundle", bundle.path, "t"],
    ]);
    return { ...output, stderr: output.stderr.replaceAll(host, "SOURCE") };
  } finally {
    Deno.removeSync(host);
  }
}

const KEPT: [source: string, options: string[], shown: string][] = [
  ["nosuid,nodev", ["bind", "ro"], "ro,nosuid,nodev,relatime"],
  ["nosuid,nodev,noexec", ["rbind", "ro"], "ro,nosuid,nodev,noexec,relatime"],
  ["ro,noexec", ["bind", "nosuid"], "ro,nosuid,noexec,relatime"],
  ["nosuid,noatime", ["bind", "ro"], "ro,nosuid,noatime"],
  ["nosuid", ["bind", "rw", "dev", "exec"], "rw,nosuid,relatime"],
  ["ro,nodev", ["bind", "rnosuid"], "ro,nosuid,nodev,relatime"],
  ["noatime", ["bind", "nodiratime"], "rw,noatime,nodiratime"],
  ["nodiratime", ["bind", "noatime"], "rw,noatime,nodiratime"],
  ["relatime", ["bind", "strictatime"], "rw"],
];

Deno.test({
  name: "in a user namespace what the host has set stays, where no option names it",
  ...RUNTS_ONLY, // runc 1.1 fails where more than "ro" is locked, crun 1.8 clears all
  fn: () =>
    withRuntime(async (runtime) => {
      for (const [source, options, shown] of KEPT) {
        const { code, stdout, stderr } = await bound(runtime, source, options);
        assertEquals({ code, stderr }, { code: 0, stderr: "" }, options.join());
        const mounts = readMounts(stdout.split("\n").slice(0, -1));
        assertEquals(mounts.get("/m")?.attributes.join(), shown, `${source} ${options}`);
      }
    }),
});

const REFUSED: [source: string, options: string[], named: string][] = [
  ["nodev", ["bind", "dev"], '"dev"'],
  ["nosuid", ["bind", "ro", "suid"], '"suid"'],
  ["noexec", ["rbind", "exec"], '"exec"'],
  ["ro", ["bind", "rw"], '"rw"'],
  ["ro", ["rbind", "rrw"], '"rw"'],
  ["nosuid,nodev", ["bind", "nosuid", "rdev"], '"dev"'],
  ["noatime", ["bind", "relatime"], "another setting of access times"],
  ["noatime", ["bind", "ro", "atime"], "another setting of access times"],
  ["noatime", ["rbind", "rstrictatime"], "another setting of access times"],
  ["nodiratime", ["bind", "diratime"], "another setting of access times"],
];

Deno.test({
  name: "in a user namespace an option that would clear what the host has set is refused",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      for (const [source, options, named] of REFUSED) {
        const { code, stdout, stderr } = await bound(runtime, source, options);
        assertEquals({ code, stdout, stderr }, {
          code: 1,
          stdout: "",
          stderr: `runts: run "t": mounts[6]: bind "SOURCE" on "/m": ${named} is refused: ` +
            "the user namespace locks the attributes of the source: EPERM (operation not permitted)\n",
        }, `${source} ${options}`);
      }
    }),
});

const BELOW: [below: string, option: string, named: string][] = [
  ["ro", "rrw", '"rrw"'],
  ["nosuid", "rsuid", '"rsuid"'],
  ["nodev", "rdev", '"rdev"'],
  ["noexec", "rexec", '"rexec"'],
  ["nodiratime", "rdiratime", '"rdiratime"'],
  ["noatime", "rrelatime", "another setting of access times"],
];

Deno.test({
  name: "in a user namespace a recursive option clears nothing of what the host has mounted below",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      for (const [below, option, named] of BELOW) {
        assertEquals(await bound(runtime, "rw", ["rbind", option], below), {
          code: 1,
          stdout: "",
          stderr: `runts: run "t": mounts[6]: bind "SOURCE" on "/m": ${named} is refused: ` +
            'the user namespace locks the attributes of "SOURCE/b"\n',
        }, below);
        const { code, stderr } = await bound(
          runtime,
          "rw",
          ["rbind", "rnosuid", "rnoatime"],
          below,
        );
        assertEquals({ code, stderr }, { code: 0, stderr: "" }, below);
      }
    }),
});
