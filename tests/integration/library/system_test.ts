/** `System`: what LXC's commands do, in a script. */

import { assertEquals } from "@std/assert";
import { libraryTest, script } from "../../support/script.ts";

/** Two containers of one root filesystem; scripts get their directory, and that of the state. */
const LOOK = `
import { isRuntsError, System } from "@runts/runts";
const [root, path, rootfs] = Deno.args as [string, string, string];
const own = 'trap "exit 0" PWR; trap "reboot -f" INT; echo booted; while :; do sleep 0.05; done';
const define = (name: string, ...lines: string[]) => {
  Deno.mkdirSync(path + "/" + name, { recursive: true });
  Deno.writeTextFileSync(path + "/" + name + "/config", [
    "lxc.rootfs.path = overlay:" + rootfs + ":" + path + "/" + name + "/up",
    "lxc.uts.name = " + name, "lxc.net.0.type = empty", "lxc.mount.auto = proc sys",
    ...lines, "",
  ].join("\\n"));
  return System.open(name, { lxcpath: path, root });
};
const command = ["/bin/sh", "-c", own];
const failure = async (body: () => Promise<unknown>) => {
  try {
    await body();
  } catch (error) {
    console.log(isRuntsError(error) ? error.message.replaceAll(path, "DIR") : error);
  }
};
`;

async function said(text: string, runtime: { root: string }, rootfs: string): Promise<string> {
  const path = Deno.makeTempDirSync({ prefix: "runts-systems-" });
  try {
    const output = await script(`${LOOK}${text}`, [runtime.root, path, rootfs]);
    assertEquals([output.code, output.stderr], [0, ""]);
    return output.stdout.replace(/\+[\da-f]{8}/g, "");
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

libraryTest("a system is listed, looked at and changed", async (runtime, bundle) => {
  const stdout = await said(
    `const [a] = [define("a", "lxc.tty.max = 2"), define("b")];
     const names = System.list({ lxcpath: path, root }).map(({ name, state }) => name + " " + state);
     console.log(names.join(", "));
     console.log(await a.config("lxc.tty.max"), await a.config("lxc.nonsense"), a.pid);
     console.log(await a.start({ command, define: ["lxc.uts.name = other"] }), await a.start());
     console.log(a.state, a.pid! > 1, (await a.run(["hostname"])).stdout.trim());
     console.log((await a.network()).interfaces.join(), (await a.usage()).memory! > 0);
     const file = "memory.limit_in_bytes";
     if ((await a.usage()).kernel !== undefined) console.log(a.cgroup(file, "67108864").trim());
     const before = a.pid;
     await a.reboot();
     console.log(await a.wait("RUNNING", { timeout: 20_000 }), a.pid !== before);
     console.log(await a.wait(["FROZEN"], { timeout: 10 }));
     console.log(await a.stop({ kill: true }), await a.stop(), a.state);`,
    runtime,
    bundle.rootfs,
  );
  assertEquals(stdout.split("\n"), [
    "a STOPPED, b STOPPED",
    "2 undefined undefined",
    "true false",
    "RUNNING true other",
    "lo true",
    "67108864",
    "true true",
    "false",
    "true false STOPPED",
    "",
  ]);
});

libraryTest(
  "programs that are attached have streams, and what they are given",
  async (runtime, bundle) => {
    const stdout = await said(
      `const a = define("a", "lxc.cap.drop = sys_time");
     await a.start({ command });
     const { stdout, stderr, code } = await a.run(
       ["sh", "-c", "echo $ONE; id -u; echo told >&2; exit 5"],
       { env: { ONE: "1" }, uid: 7, clearEnv: true },
     );
     console.log([stdout, stderr, code].join("|").replaceAll("\\n", " "));
     const bounding = async (elevated: ["CAP"] | []) => {
       const { stdout } = await a.run(["grep", "CapBnd", "/proc/self/status"], { elevated });
       return (BigInt("0x" + stdout.trim().split(/\\s+/)[1]) & 1n << 25n) !== 0n;
     };
     console.log(await bounding([]), await bounding(["CAP"]));
     await using cat = await a.attach(["cat"], { stdin: "piped", stdout: "piped", stderr: "null" });
     const writer = cat.stdin.getWriter();
     await writer.write(new TextEncoder().encode("in and out"));
     await writer.close();
     console.log(await cat.stdout.text(), (await cat.status).code);
     const tty = await a.attach(["tty"], { terminal: true });
     console.log((await new Response(tty.terminal!.readable).text()).trim());
     await a.stop({ kill: true });`,
      runtime,
      bundle.rootfs,
    );
    assertEquals(stdout.split("\n"), [
      "1 7 |told |5",
      "false true",
      "in and out 0",
      "/dev/pts/1",
      "",
    ]);
  },
);

libraryTest("what fails names the container, and the line", async (runtime, bundle) => {
  const stdout = await said(
    `const a = define("a", "lxc.hook.pre-start = /bin/false", "lxc.tty.max = 1");
     await failure(() => a.start({ command }));
     await failure(() => a.run(["true"]));
     await failure(() => a.reboot());
     await failure(() => a.network());
     await failure(() => System.open("none", { lxcpath: path, root }).start());
     console.log((await define("b", "lxc.tty.max = x").check()).join().replaceAll(path, "DIR"));
     console.log(a.state);`,
    runtime,
    bundle.rootfs,
  );
  assertEquals(stdout.split("\n"), [
    'start "a": DIR/a/config:5: lxc.hook.pre-start: hook "/bin/false": exit status 1',
    'attach "a": container "a" does not run',
    'reboot "a": it does not run',
    'container "a" does not run',
    'start "none": container "none" does not exist: there is no file DIR/none/config',
    'DIR/b/config:5: lxc.tty.max: "x" is not a whole number from 0 to 1024',
    "STOPPED",
    "",
  ]);
});

/** Made by a template of the test's own, with a file in its root filesystem. */
const MAKE = `
const template = path + "/template";
Deno.writeTextFileSync(template, "#!/bin/sh\\necho made > \${3#--rootfs=}/file\\n", { mode: 0o755 });
const options = { lxcpath: path + "/all", root, template, config: "/dev/null" };
const text = (system: System, file = "rootfs/file") =>
  Deno.readTextFileSync(system.lxcpath + "/" + system.name + "/" + file).trim();
const names = () => System.list(options).map(({ name }) => name).join(" ");
`;

libraryTest("a system is made, copied, kept, brought back and removed", async (runtime, bundle) => {
  const stdout = await said(
    `${MAKE}
     const a = await System.create("a", options);
     const b = await a.clone("b");
     const c = await a.clone("c", { snapshot: true, keepName: true });
     console.log(names(), text(b), await c.config("lxc.uts.name") === "");
     await failure(() => a.destroy());
     await c.destroy();
     const d = await b.rename("d");
     console.log(names(), await d.config("lxc.uts.name"));
     console.log(await a.snapshot({ comment: template }), await a.snapshot());
     const kept = await a.snapshots();
     console.log(kept.map(({ name, comment }) => name + " " + (comment?.length ?? 0)).join());
     Deno.writeTextFileSync(a.lxcpath + "/a/rootfs/file", "changed");
     const e = await a.restore("snap0", "e");
     console.log(text(e), text(a), text(await a.restore("snap0")));
     await a.removeSnapshot("snap1");
     await failure(() => a.destroy());
     await a.destroy({ snapshots: true });
     await failure(() => a.clone("f"));
     await d.destroy();
     await e.destroy({ force: true });
     console.log(names() === "");
     const aborted = AbortSignal.abort(new Error("not wanted"));
     await System.create("g", { ...options, signal: aborted }).catch(({ message }) => console.log(message));
     console.log([...Deno.readDirSync(options.lxcpath)].length);`,
    runtime,
    bundle.rootfs,
  );
  assertEquals(stdout.split("\n"), [
    "a b c made true",
    'destroy "a": the container has clones: "DIR/all/c": destroy them first',
    "a d d",
    "snap0 snap1",
    "snap0 42,snap1 0",
    "made changed made",
    'destroy "a": the container has snapshots: use --snapshots',
    'copy "a": container "a" does not exist: there is no file DIR/all/a/config',
    "true",
    "not wanted",
    "0",
    "",
  ]);
});

libraryTest("devices come into a system and go again", async (runtime, bundle) => {
  const stdout = await said(
    `const a = define("a");
     await a.start({ command });
     await a.addDevice("/dev/full", "/dev/other");
     console.log((await a.run(["ls", "-l", "/dev/other"])).stdout.replace(/\\s+/g, " ").split(" ")[4]);
     await a.removeDevice("/dev/full", "/dev/other");
     console.log((await a.run(["test", "-e", "/dev/other"])).code);
     const ip = (...args: string[]) => new Deno.Command("ip", { args }).output();
     await ip("link", "add", "rtslib0", "type", "veth", "peer", "name", "rtslib1");
     await a.attachInterface("rtslib0", "eth5");
     console.log((await a.network()).interfaces.join());
     await a.detachInterface("eth5", "rtslib0");
     console.log((await a.network()).interfaces.join(), (await ip("link", "show", "rtslib0")).code);
     await ip("link", "del", "rtslib0");
     await failure(() => a.attachInterface("rtslib0"));
     await a.stop({ kill: true });
     await failure(() => a.addDevice("/dev/full"));`,
    runtime,
    bundle.rootfs,
  );
  const lines = stdout.split("\n");
  assertEquals(lines.slice(0, 4), ["1,", "1", "lo,eth5", "lo 0"]);
  assertEquals(lines.slice(4), [
    'device "a": network device "rtslib0" does not exist',
    'device "a": the container does not run',
    "",
  ]);
});
