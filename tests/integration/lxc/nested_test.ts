/** ls --nesting: containers within containers. LXC 5.0.2 ends with SIGSEGV as soon as there is one. */

import { assertEquals } from "@std/assert";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { RUNTIME } from "../../support/runtime.ts";

/** What runts needs within a container, and the rights to make others. */
const NESTING = [
  "lxc.mount.auto = ",
  "lxc.mount.auto = proc:rw sys:rw cgroup:rw:force",
  "lxc.cap.drop = ",
  ...["/usr", "/lib64", "/lib", RUNTIME.slice(0, RUNTIME.lastIndexOf("/"))].map((path) =>
    `lxc.mount.entry = ${path} ${path.slice(1)} none rbind,ro,create=dir 0 0`
  ),
  "lxc.mount.entry = none run tmpfs rw,create=dir 0 0",
];
const SLEEPER = "#!/bin/sh\nexec sleep 1000\n";

/** Defines a container within another one, with a root filesystem of its own. */
function within(systems: Systems, outer: string, name: string, lines: readonly string[] = []) {
  const here = `${systems.path}/${outer}/rootfs${systems.path}/${name}`;
  const rootfs = `${systems.path}/${name}/rootfs`;
  for (const directory of ["bin", "dev", "proc", "sbin", "sys"]) {
    Deno.mkdirSync(`${here}/rootfs/${directory}`, { recursive: true });
  }
  Deno.copyFileSync("/bin/busybox", `${here}/rootfs/bin/busybox`);
  for (const applet of ["sh", "sleep"]) {
    Deno.symlinkSync("busybox", `${here}/rootfs/bin/${applet}`);
  }
  Deno.writeTextFileSync(`${here}/rootfs/sbin/init`, SLEEPER, { mode: 0o755 });
  const usual = [`lxc.rootfs.path = dir:${rootfs}`, "lxc.net.0.type = empty"];
  Deno.writeTextFileSync(`${here}/config`, [...usual, ...lines, ""].join("\n"));
}

const COLUMNS = "NAME,STATE,AUTOSTART,GROUPS,INTERFACE";

Deno.test("ls --nesting shows what is in containers, running or not", RUNTS_LXC_ONLY, async () => {
  await using systems = new Systems();
  systems.add("nest-a", NESTING);
  systems.add("nest-b");
  within(systems, "nest-a", "in", ["lxc.group = g"]);
  within(systems, "nest-a", "off", ["lxc.start.auto = 1"]);
  within(systems, "nest-b", "still");
  // Within a container that does not run either.
  within(systems, `nest-b/rootfs${systems.path}/still`, "deep", []);
  await systems.start("nest-a");
  await systems.inside("nest-a", `${RUNTIME} lxc start -P ${systems.path} -n in`);
  const table = (...args: string[]) => systems.ok("ls", "-F", COLUMNS, ...args);
  assertEquals(
    await table("--nesting"),
    "NAME   STATE   AUTOSTART GROUPS INTERFACE \n" +
      "nest-a RUNNING 0         -      lo        \n" +
      "\\in    RUNNING 0         g      lo        \n" +
      "\\off   STOPPED 1         -      -         \n" +
      "nest-b STOPPED 0         -      -         \n" +
      "\\still STOPPED 0         -      -         \n" +
      " \\deep STOPPED 0         -      -         \n",
  );
  await systems.inside("nest-a", `${RUNTIME} lxc freeze -P ${systems.path} -n in`);
  assertEquals(
    await table("--nesting", "--active"),
    "NAME   STATE   AUTOSTART GROUPS INTERFACE \n" +
      "nest-a RUNNING 0         -      lo        \n" +
      "\\in    FROZEN  0         g      lo        \n",
  );
  assertEquals(
    await systems.ok("ls", "--nesting=1"),
    "nest-a\nnest-a/in\nnest-a/off\nnest-b\nnest-b/still\n",
  );
  assertEquals(await systems.ok("ls", "--nesting=0"), "nest-a\nnest-b\n");
  const [pid] = words(await systems.ok("ls", "--nesting", "-F", "PID,NAME")).slice(4);
  assertEquals(Deno.readTextFileSync(`/proc/${pid}/cmdline`), "sleep\x001000\x00");
});

Deno.test("nothing in a container leads ls --nesting out of it", RUNTS_LXC_ONLY, async () => {
  await using systems = new Systems();
  systems.add("nest-c");
  const inside = `${systems.rootfs("nest-c")}${systems.path}`;
  within(systems, "nest-c", "good");
  within(systems, "nest-c", "wrong", ["lcx.tty.max = 1"]);
  within(systems, "nest-c", "outward", [`lxc.include = ${systems.path}/nest-c/config`]);
  within(systems, "nest-c", "red\x1b[31m");
  Deno.symlinkSync(`${systems.path}/nest-c`, `${inside}/absolute`);
  Deno.symlinkSync("../../../../..", `${inside}/relative`);
  Deno.mkdirSync(`${inside}/fifo`);
  new Deno.Command("mkfifo", { args: [`${inside}/fifo/config`] }).outputSync();
  within(systems, "nest-c", "long", [`# ${"x".repeat(2_000_000)}`]);
  const { code, stdout, stderr } = await systems.run("ls", "--nesting");
  assertEquals([code, stdout], [0, "nest-c\nnest-c/good\nnest-c/red?[31m\n"]);
  assertEquals(
    stderr.trimEnd().split("\n").map((line) => line.replace(/^.*?warning: /, "")),
    ["long", "outward", "wrong"].map((name) =>
      `the configuration of "nest-c/${name}" is not sound`
    ),
  );
});

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");
