/** ls, config and the version, as LXC has them. */

import { assertEquals, assertMatch } from "@std/assert";
import { lxc, LxcPath } from "../../support/lxc.ts";

function three(): LxcPath {
  const containers = new LxcPath();
  containers.define("alpha", "lxc.uts.name = alpha\n");
  containers.define("b", "lxc.start.auto = 1\nlxc.group = g1 g2\n");
  containers.define("c.d", "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536\n");
  Deno.mkdirSync(`${containers.path}/empty`);
  return containers;
}

const words = (text: string) =>
  text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

Deno.test("ls names what is defined, one a line off a terminal", async () => {
  using containers = three();
  const cases: [args: string[], names: string[]][] = [
    [[], ["alpha", "b", "c.d"]],
    [["-1"], ["alpha", "b", "c.d"]],
    [["--stopped"], ["alpha", "b", "c.d"]],
    [["--defined"], ["alpha", "b", "c.d"]],
    [["--filter", "^[ab]"], ["alpha", "b"]],
    [["^c"], ["c.d"]],
    [["-g", "g1"], ["b"]],
    [["-g", "g1,g2"], ["b"]],
    [["-g", "g1,g3"], []],
  ];
  for (const [args, names] of cases) {
    const { code, stdout } = await containers.run("ls", ...args);
    assertEquals([code, words(stdout)], [0, names], args.join(" "));
  }
});

Deno.test("ls -f prints a table", async () => {
  using containers = three();
  const { code, stdout } = await containers.run("ls", "-f");
  assertEquals([code, stdout], [
    0,
    "NAME  STATE   AUTOSTART GROUPS IPV4 IPV6 UNPRIVILEGED \n" +
    "alpha STOPPED 0         -      -    -    false        \n" +
    "b     STOPPED 1         g1, g2 -    -    false        \n" +
    "c.d   STOPPED 0         -      -    -    true         \n",
  ]);
  const some = await containers.run("ls", "-f", "-F", "NAME,AUTOSTART,PID");
  assertEquals(some.stdout.split("\n")[2], "b     1         -   ");
});

Deno.test("ls of a directory that is not there names nothing", async () => {
  const { code, stdout } = await lxc("ls", ["-P", "/nonexistent"]);
  assertEquals([code, stdout], [0, ""]);
});

Deno.test("config prints what is set and what is usual", async () => {
  const cases: [args: string[], code: number, text: string][] = [
    [["lxc.lxcpath"], 0, "/var/lib/lxc\n"],
    [["lxc.default_config"], 0, "/etc/lxc/default.conf\n"],
    [["lxc.bdev.lvm.vg"], 0, "lxc\n"],
    [["lxc.cgroup.use"], 0, "lxc.cgroup.use is not set.\n"],
  ];
  for (const [args, code, text] of cases) {
    const output = await lxc("config", args);
    assertEquals([output.code, output.stdout], [code, text], args.join(" "));
  }
  assertEquals((await lxc("config", ["lxc.foo"])).code, 1);
  const { stdout } = await lxc("config", ["-l"]);
  assertEquals(words(stdout).slice(0, 2), ["lxc.default_config", "lxc.lxcpath"]);
});

Deno.test("--version prints a version alone", async () => {
  for (const verb of ["info", "ls"]) {
    const { code, stdout } = await lxc(verb, ["--version"]);
    assertEquals(code, 0);
    assertMatch(stdout, /^\d+\.\d+\.\d+\n$/);
  }
});

Deno.test("checkconfig shows features and mount points", async () => {
  const { code, stdout } = await lxc("checkconfig", []);
  assertEquals(code, 0);
  assertMatch(stdout, /^--- Namespaces ---$/m);
  assertMatch(stdout, /^Pid namespace: .*enabled/m);
  assertMatch(stdout, /^Cgroup v1 mount points: ?$/m);
});
