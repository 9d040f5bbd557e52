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
