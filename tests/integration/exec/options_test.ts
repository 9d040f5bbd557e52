/** Options of exec: who is told of the process, what it is handed, what cannot be had. */

import { assert, assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import type { Config } from "../../support/bundle.ts";
import { exists } from "../../support/look.ts";
import { commandLine, PEER, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { execTest, type Sleeper, untilCaught } from "../../support/seen.ts";

const NONE = () => {};
const SIGTERM = 15;
const SIGRTMAX = 64;

/** exec as a process of its own, with pipes. */
function spawn({ runtime, id }: Sleeper, options: string[], words: string[]): Deno.ChildProcess {
  const line = commandLine(runtime.executable, [
    ...["--root", runtime.root, "exec", ...options, id, ...words],
  ]);
  const [executable, ...args] = line;
  return new Deno.Command(executable!, { args, stdin: "piped", stdout: "piped" }).spawn();
}

/** Options that are refused, and the message; FILE stands for a file of the bundle. */
const REFUSED: readonly (readonly [options: string[], message: string])[] = [
  [
    ["--tty", "--detach"],
    "process.terminal: cannot allocate a terminal without a console socket: " +
    "give --console-socket PATH, or set process.terminal to false",
  ],
  [
    ["--detach", "--console-socket", "FILE"],
    'process.terminal: console socket "FILE" is given, but no terminal: ' +
    "leave --console-socket away, or set process.terminal to true",
  ],
  [
    ["--tty", "--detach", "--console-socket", "FILE"],
    'connect to console socket "FILE": ENOENT (no such file or directory)',
  ],
  [
    ["--pid-file", "FILE", "--pidfd-socket", "FILE"],
    'connect to pidfd socket "FILE": ENOENT (no such file or directory)',
  ],
  [["--pid-file", "FILE/x"], 'write pid file "FILE/x": ENOENT (no such file or directory)'],
  [
    ["--preserve-fds", "1"],
    "descriptor 3 is to be passed on (--preserve-fds, LISTEN_FDS) and is not open",
  ],
  [["--process", "FILE"], 'read "FILE": ENOENT (no such file or directory)'],
  [["--cap", "CAP_MOON", "--user", "x"], 'user "x" is not UID or UID:GID'],
];

execTest("refuses what does not fit, and leaves no process", NONE, async (sleeper) => {
  const path = `${sleeper.bundle.path}/none`;
  for (const [options, message] of REFUSED) {
    const given = options.map((option) => option.replace("FILE", path));
    assertEquals(await sleeper.exec(given, ["sleep", "1000"]), {
      code: 255,
      stdout: "",
      stderr: `runts: exec "${sleeper.id}": ${message.replaceAll("FILE", path)}\n`,
    });
    assert(!exists(path), "a pid file");
  }
  await until("init is alone", async () => (await sleeper.pids()).length === 1);
}, RUNTS_ONLY);

execTest("--pid-file that is a directory leaves nothing there", NONE, async (sleeper) => {
  const directory = `${sleeper.bundle.path}/pids`;
  Deno.mkdirSync(`${directory}/file`, { recursive: true });
  const { code } = await sleeper.exec(["--pid-file", `${directory}/file`], ["sleep", "1000"]);
  assertEquals(code, 255);
  assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["file"]);
  await until("init is alone", async () => (await sleeper.pids()).length === 1);
}, RUNTS_ONLY);

/** Whether the kernel has the module, and it is switched on. */
const HAS_APPARMOR = exists("/sys/module/apparmor/parameters/enabled");
const HAS_SELINUX = exists("/sys/fs/selinux/enforce");

execTest("--apparmor where AppArmor is not enabled", NONE, async (sleeper) => {
  const stderr = `runts: exec "${sleeper.id}": process.apparmorProfile: ` +
    'write "exec some-profile" to "/proc/self/attr/exec": EINVAL (invalid argument): ' +
    "AppArmor is not enabled, or does not know the label\n";
  const failed = { code: 255, stdout: "", stderr };
  assertEquals(await sleeper.exec(["--apparmor", "some-profile"], ["true"]), failed);
  const process = { cwd: "/", user: { uid: 0, gid: 0 }, args: ["/bin/true"] };
  assertEquals(await sleeper.document({ ...process, apparmorProfile: "some-profile" }), failed);
  assertEquals((await sleeper.exec(["--apparmor", ""], ["true"])).code, 0);
}, { ignore: PEER !== "runts" || HAS_APPARMOR }); // the words are runts'

execTest("--process-label where SELinux is not enabled", NONE, async (sleeper) => {
  assertEquals(await sleeper.exec(["--process-label", "system_u:system_r:x_t:s0"], ["true"]), {
    code: 255,
    stdout: "",
    stderr: `runts: exec "${sleeper.id}": process.selinuxLabel: ` +
      'write "system_u:system_r:x_t:s0" to "/proc/self/attr/exec": EINVAL (invalid argument): ' +
      "SELinux is not enabled, or does not know the label\n",
  });
}, { ignore: PEER !== "runts" || HAS_SELINUX }); // the words are runts'

execTest("--additional-gids takes lists, too", NONE, async (sleeper) => {
  const { status } = await sleeper.seen(["-g", "10,20", "-g", "30"]);
  assertEquals(status.Groups!.trim(), "10 20 30");
}, RUNTS_ONLY); // runc and crun know single ones

execTest("--detach leaves the caller's pipes to the program", NONE, async (sleeper) => {
  const child = spawn(sleeper, ["--detach"], ["sh", "-c", "read line; echo got $line"]);
  assertEquals((await child.status).code, 0);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("word\n"));
  await writer.close();
  assertEquals(await new Response(child.stdout).text(), "got word\n");
});

execTest("--console-socket gets the terminal of a detached process", NONE, async (sleeper) => {
  const { runtime, id, bundle } = sleeper;
  const helper = await loadHelper();
  const path = `${bundle.path}/socket`;
  const listener = helper.listenUnix(path);
  const options = ["exec", "--tty", "--detach", "--console-socket", path, id];
  await runtime.ok([...options, "sh", "-c", "read line; echo got $line; tty"]);
  const connection = helper.accept(listener, 60_000);
  const { fd, text } = helper.receiveFd(connection, 60_000);
  assert(text.length > 0 && helper.isTerminal(fd));
  helper.write(fd, new TextEncoder().encode("word\n"));
  const bytes = new Uint8Array(1000);
  let shown = "";
  await until("it has answered", () => {
    if (helper.readyFds([fd]).length > 0) {
      shown += new TextDecoder().decode(bytes.subarray(0, helper.read(fd, bytes)));
    }
    return shown.includes("/dev/pts/");
  });
  assert(shown.includes("got word"), shown);
  for (const one of [fd, connection, listener]) helper.close(one);
});

execTest("--process says how big the terminal is", NONE, async (sleeper) => {
  const { runtime, id, bundle } = sleeper;
  const helper = await loadHelper();
  const [file, path] = [`${bundle.path}/process.json`, `${bundle.path}/socket`];
  const consoleSize = { height: 12, width: 34 };
  Deno.writeTextFileSync(
    file,
    JSON.stringify({
      ...{ cwd: "/", user: { uid: 0, gid: 0 }, env: ["PATH=/bin"], terminal: true, consoleSize },
      args: ["sh", "-c", "stty size; read end"],
    }),
  );
  const listener = helper.listenUnix(path);
  await runtime.ok(["exec", "--process", file, "--detach", "--console-socket", path, id]);
  const connection = helper.accept(listener, 60_000);
  const { fd } = helper.receiveFd(connection, 60_000);
  assertEquals(helper.windowSize(fd), { rows: 12, cols: 34 });
  await until("it says so", () => helper.readyFds([fd]).length > 0);
  const bytes = new Uint8Array(1000);
  const shown = new TextDecoder().decode(bytes.subarray(0, helper.read(fd, bytes)));
  assertEquals(shown.trim(), "12 34");
  for (const one of [fd, connection, listener]) helper.close(one);
}, { ignore: PEER === "crun" }); // 1.8 does not look at it

execTest("a signal that comes before the program runs waits for it", NONE, async (sleeper) => {
  await sleeper.runtime.ok(["pause", sleeper.id]);
  const child = spawn(sleeper, ["--ignore-paused"], ["sleep", "1000"]);
  await untilCaught(child.pid, SIGRTMAX); // then all are handed on
  child.kill("SIGTERM");
  await sleeper.runtime.ok(["resume", sleeper.id]);
  assertEquals((await child.status).code, 128 + SIGTERM);
  await child.stdin.close();
  await child.stdout.cancel();
}, { ignore: PEER === "crun" }); // 1.8 has no such option

/** Starts exec of a program that leaves an orphan; gives the orphan's parent. */
async function parentOfOrphan(sleeper: Sleeper, options: string[]): Promise<[number, number]> {
  const child = spawn(sleeper, options, ["sh", "-c", "(sleep 1000 & echo $!); read end"]);
  const reader = child.stdout.getReader();
  const orphan = Number(new TextDecoder().decode((await reader.read()).value));
  const parent = () =>
    Number(/^PPid:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${orphan}/status`))![1]);
  await until("it is an orphan", () => {
    const path = `/proc/${parent()}/comm`;
    return !exists(path) || Deno.readTextFileSync(path) !== "sh\n";
  });
  const found = parent();
  Deno.kill(orphan, "SIGKILL");
  await child.stdin.close();
  await reader.cancel();
  await child.status;
  return [found, child.pid];
}

execTest("adopts orphans where nobody inside does, but for --no-subreaper", (config) => {
  config.linux.namespaces = config.linux.namespaces.filter((one: Config) => one.type !== "pid");
}, async (sleeper) => {
  const [adopter, runts] = await parentOfOrphan(sleeper, []);
  assertEquals(adopter, runts);
  const [other, second] = await parentOfOrphan(sleeper, ["--no-subreaper"]);
  assert(other !== second);
}, RUNTS_ONLY); // exec of runc never does, and crun has no such option
