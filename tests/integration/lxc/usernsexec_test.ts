/** usernsexec: programs of the host as root of a user namespace. */

import { assertEquals } from "@std/assert";
import { lxc, RUNTS_LXC_ONLY } from "../../support/lxc.ts";

/** Root needs /etc/subuid for LXC's command. */
async function exec(...args: string[]): Promise<[code: number, lines: string[], stderr: string]> {
  const { code, stdout, stderr } = await lxc("usernsexec", args, { cwd: "/" });
  const lines = stdout.trimEnd().split("\n").map((line) => line.trim().replace(/\s+/g, " "));
  return [code, lines, stderr];
}

Deno.test("a program is root there, with the ids that are named", RUNTS_LXC_ONLY, async () => {
  const script = "id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; exit 4";
  assertEquals(
    await exec("-m", "u:0:100000:10", "-m", "g:0:200000:20", "--", "sh", "-c", script),
    [4, ["0", "0", "0 100000 10", "0 200000 20"], ""],
  );
  assertEquals(
    await exec("-m", "b:0:100000:65536", "-s", "--", "cat", "/proc/self/uid_map"),
    [0, ["0 100000 65536", "65536 0 1"], ""],
  );
});

Deno.test(
  "its mounts are its own, and what it writes is the mapped root's",
  RUNTS_LXC_ONLY,
  async () => {
    const directory = Deno.makeTempDirSync();
    Deno.chmodSync(directory, 0o777);
    try {
      const script = `mount -t tmpfs none /mnt && touch ${directory}/file && echo done`;
      assertEquals(await exec("-m", "b:0:100000:65536", "--", "sh", "-c", script), [
        0,
        ["done"],
        "",
      ]);
      const { uid, gid } = Deno.statSync(`${directory}/file`);
      assertEquals([uid, gid], [100000, 100000]);
      const mounts = Deno.readTextFileSync("/proc/self/mounts");
      assertEquals(/ \/mnt tmpfs /.test(mounts), false);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
);

Deno.test("what cannot be run is told in words", RUNTS_LXC_ONLY, async () => {
  assertEquals(await exec("-m", "x", "--", "id"), [
    1,
    [""],
    'runts: lxc usernsexec: "x" is not a range of ids: as "b:0:100000:65536", with u for users, g for ' +
    "groups, b for both\n",
  ]);
  const [code] = await exec("-m", "b:0:100000:65536", "--", "/none");
  assertEquals(code, 127);
});
