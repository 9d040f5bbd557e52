/** update-config, as LXC's converter works, and what it forgets. */

import { assertEquals } from "@std/assert";
import { lxc, LxcPath, RUNTS_LXC_ONLY } from "../../support/lxc.ts";

const OLD = `# web
lxc.utsname = web
lxc.rootfs = /srv/root
lxc.tty = 4
lxc.pts = 1024
lxc.network.type = veth
lxc.network.link = br0
lxc.network.type = empty
lxc.id_map = u 0 100000 65536
lxc.id_map = g 0 100000 65536
lxc.aa_profile = unconfined
lxc.haltsignal = SIGPWR
`;

Deno.test("update-config converts a file that LXC then reads, and keeps the old one", async () => {
  using containers = new LxcPath();
  const file = containers.define("c", OLD);
  const { code } = await lxc("update-config", ["-c", file], { cwd: containers.path });
  assertEquals(code, 0);
  assertEquals(Deno.readTextFileSync(`${file}.backup`), OLD);
  const expected: Record<string, string> = {
    "lxc.uts.name": "web",
    "lxc.rootfs.path": "/srv/root",
    "lxc.tty.max": "4",
    "lxc.pty.max": "1024",
    "lxc.net.0.link": "br0",
    "lxc.net.1.type": "empty",
    "lxc.apparmor.profile": "unconfined",
    "lxc.signal.halt": "30",
  };
  for (const [key, value] of Object.entries(expected)) {
    const { stdout } = await containers.run("info", "-n", "c", "-c", key);
    assertEquals(stdout, `${key} = ${value}\n`);
  }
});

// LXC's converter leaves lxc.limit.* and lxc.rootfs.backend's path as they are, and always writes.
Deno.test(
  "update converts the rest as well, and leaves a new file alone",
  RUNTS_LXC_ONLY,
  async () => {
    using containers = new LxcPath();
    const old = "lxc.limit.nofile = 5\nlxc.include = other\n";
    const file = containers.define("c", old);
    Deno.chmodSync(file, 0o640);
    const { code, stdout } = await lxc("update", [file]);
    assertEquals({ code, stdout }, {
      code: 0,
      stdout: `${file}:1: lxc.limit.nofile is now lxc.prlimit.nofile\n` +
        `${file}:2: lxc.include: "other": ENOENT (no such file or directory)\n`,
    });
    assertEquals(Deno.statSync(file).mode! & 0o777, 0o640);
    const fresh = containers.define("d", "lxc.uts.name = d\n");
    assertEquals(await lxc("update", [fresh]), { code: 0, stdout: "", stderr: "" });
    assertEquals(Array.from(Deno.readDirSync(`${containers.path}/d`), ({ name }) => name), [
      "config",
    ]);
  },
);

Deno.test("update --dry-run writes nothing", RUNTS_LXC_ONLY, async () => {
  using containers = new LxcPath();
  const file = containers.define("c", "lxc.utsname = c\n");
  const { stdout } = await lxc("update", ["--dry-run", file]);
  assertEquals(stdout, `${file}:1: lxc.utsname is now lxc.uts.name\n`);
  assertEquals(Deno.readTextFileSync(file), "lxc.utsname = c\n");
});
