/** What is written about containers on disk: configurations of copies, and who depends on whom. */

import { assertEquals, assertMatch } from "@std/assert";
import { editText, without } from "../../../lib/lxc/config/edit.ts";
import { copiedConfig } from "../../../lib/lxc/store/copy_config.ts";
import {
  dependentsOf,
  dependsOn,
  forgetDependences,
  noteDependences,
} from "../../../lib/lxc/store/dependents.ts";

const COPY = {
  from: "/c/web",
  to: "/c/other",
  rootfs: "dir:/c/other/rootfs",
  hostName: "other",
  keepAddresses: true,
};

Deno.test("lines are changed by their names of today, all else stays as it is", () => {
  const text = "# remark\n\nlxc.utsname = a\n  lxc.tty.max=1\nnothing\nlxc.rootfs = /x";
  assertEquals(
    editText(text, without("lxc.uts.name", "lxc.rootfs.path"), ["lxc.uts.name = b"]),
    "# remark\n\n  lxc.tty.max=1\nnothing\nlxc.uts.name = b\n",
  );
  assertEquals(editText("", () => undefined, []), "");
  assertEquals(editText("", () => undefined, ["a = b"]), "a = b\n");
});

Deno.test("a copy has its own name and root filesystem, and its own paths in its directory", () => {
  const text = `# remark
lxc.rootfs.path = dir:/c/web/rootfs
lxc.uts.name = web
lxc.uts.name = www
lxc.hook.pre-start = /c/web/hook "/c/web/file" /c/website /c/web
lxc.mount.fstab = /c/web/fstab
lxc.console.logfile = /c/web/console.log
lxc.mount.entry = /c/web/data data none bind 0 0
lxc.mount.entry = /srv data overlay lowerdir=/srv,upperdir=/c/web/up,workdir=/c/web/work 0 0
lxc.environment = HOME=/c/web/home
`;
  assertEquals(
    copiedConfig(text, COPY),
    `# remark
lxc.hook.pre-start = /c/other/hook "/c/other/file" /c/website /c/other
lxc.mount.fstab = /c/other/fstab
lxc.console.logfile = /c/other/console.log
lxc.mount.entry = /c/web/data data none bind 0 0
lxc.mount.entry = /srv data overlay lowerdir=/srv,upperdir=/c/other/up,workdir=/c/other/work 0 0
lxc.environment = HOME=/c/web/home
lxc.rootfs.path = dir:/c/other/rootfs
lxc.uts.name = other
`,
  );
});

Deno.test("what is moved has all its paths in the other directory", () => {
  const text = "lxc.mount.entry = /c/web/data data none bind 0 0\nlxc.environment = H=/c/web/h\n";
  assertEquals(
    copiedConfig(text, { ...COPY, rootfs: undefined, hostName: undefined, moved: true }),
    "lxc.mount.entry = /c/other/data data none bind 0 0\nlxc.environment = H=/c/other/h\n",
  );
});

Deno.test("addresses of network devices are drawn anew, those of old names, too", () => {
  const text = "lxc.network.type = veth\nlxc.network.hwaddr = 00:16:3e:00:00:01\n" +
    "lxc.net.1.hwaddr =\n";
  const [first, second, third] = copiedConfig(text, { ...COPY, keepAddresses: false }).split("\n");
  assertEquals([first, third], ["lxc.network.type = veth", "lxc.net.1.hwaddr ="]);
  assertMatch(second!, /^lxc\.network\.hwaddr = 00:16:3e(:[0-9a-f]{2}){3}$/);
});

Deno.test("who uses whom is written down as LXC does, and forgotten again", () => {
  const path = Deno.makeTempDirSync();
  try {
    for (const name of ["a", "b", "c"]) {
      Deno.mkdirSync(`${path}/${name}`);
      Deno.writeTextFileSync(`${path}/${name}/config`, "");
    }
    const [a, b, c] = ["a", "b", "c"].map((name) => ({ lxcpath: path, name }));
    noteDependences(b!, [a!]);
    noteDependences(c!, [a!, b!]);
    assertEquals(Deno.readTextFileSync(`${path}/a/lxc_snapshots`), `${path}\nb\n${path}\nc\n`);
    assertEquals(Deno.readTextFileSync(`${path}/c/lxc_rdepends`), `${path}\na\n${path}\nb\n`);
    assertEquals([dependentsOf(a!), dependsOn(c!)], [[b!, c!], [a!, b!]]);
    forgetDependences(c!);
    assertEquals([dependentsOf(a!), dependentsOf(b!)], [[b!], []]);
    // One that is gone counts no more.
    Deno.removeSync(`${path}/b`, { recursive: true });
    assertEquals(dependentsOf(a!), []);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});
