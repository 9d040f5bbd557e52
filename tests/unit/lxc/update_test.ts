import { assertEquals } from "@std/assert";
import { readConfig } from "../../../lib/lxc/config/read.ts";
import { updateText } from "../../../lib/lxc/update.ts";

const OLD = `# a comment about lxc.utsname
lxc.utsname = web
  lxc.rootfs   =   /srv/root
lxc.rootfs.backend = overlayfs
lxc.limit.nofile = 5
lxc.pivotdir = x

lxc.network.type = veth
lxc.network.link= br0
lxc.network.type = veth
lxc.network.ipv4 = 10.0.0.1/24
lxc.cap.drop = sys_time
`;

const NEW = `# a comment about lxc.utsname
lxc.uts.name = web
  lxc.rootfs.path   =   overlay:/srv/root
lxc.prlimit.nofile = 5

lxc.net.0.type = veth
lxc.net.0.link= br0
lxc.net.1.type = veth
lxc.net.1.ipv4.address = 10.0.0.1/24
lxc.cap.drop = sys_time
`;

Deno.test("every old name is converted, and the rest stays as it is", () => {
  const { text, changes } = updateText(OLD);
  assertEquals(text, NEW);
  assertEquals(changes.map(({ line, text }) => `${line}: ${text}`), [
    "2: lxc.utsname is now lxc.uts.name",
    "3: lxc.rootfs is now lxc.rootfs.path",
    "3: lxc.rootfs.path is now overlay:/srv/root",
    "4: lxc.rootfs.backend is left out: the driver stands in front of lxc.rootfs.path",
    "5: lxc.limit.nofile is now lxc.prlimit.nofile",
    "6: lxc.pivotdir is left out: the old root is not put anywhere any more",
    "8: lxc.network.type is now lxc.net.0.type",
    "9: lxc.network.link is now lxc.net.0.link",
    "10: lxc.network.type is now lxc.net.1.type",
    "11: lxc.network.ipv4 is now lxc.net.1.ipv4.address",
  ]);
});

Deno.test("what was converted needs no conversion, and has no old name", async () => {
  const { text } = updateText(OLD);
  assertEquals(updateText(text), { text, changes: [] });
  const { warnings } = await readConfig({ file: "/c" }, {
    read: () => text,
    list: () => undefined,
  });
  assertEquals(warnings, []);
});
