/** What could leak into a container, and hostile state: each test tries and shows that it fails. */

import { assert, assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, PEER, until } from "../../support/runtime.ts";

function hostile(name: string, body: (runtime: TestRuntime) => Promise<void>): void {
  Deno.test({ name: `hostile: ${name}`, ignore: PEER !== "runts", fn: () => withRuntime(body) });
}

const SCRIPT = "env >$0.env; ls /proc/self/fd >$0.fd";

/** A hook that writes down its variables and descriptors. */
function spy(file: string): Config {
  return { path: "/bin/sh", args: ["sh", "-c", SCRIPT, file] };
}

hostile("no descriptor or variable of the caller reaches container and hooks", async (runtime) => {
  using bundle = new Bundle((config) => {
    config.root.readonly = false;
    config.process.args = ["sh", "-c", "ls /proc/self/fd; env | sort"];
  });
  Deno.mkdirSync(`${bundle.path}/spy`);
  const { config } = bundle;
  config.mounts.push({ destination: "/tmp", source: `${bundle.path}/spy`, options: ["bind"] });
  config.hooks = {
    createRuntime: [{ ...spy(`${bundle.path}/spy/runtime`), env: ["A=b"] }],
    createContainer: [spy(`${bundle.path}/spy/create`)],
    startContainer: [spy("/tmp/start")],
    poststop: [{ ...spy(`${bundle.path}/spy/stop`), env: ["A=b"] }],
  };
  bundle.save();
  const open = 'exec 3</etc/shadow 7</ 9>>/dev/null 63</; exec "$@"';
  const { code, stdout, stderr } = await command(
    ["bash", "-c", open, "bash", runtime.executable, "--root", runtime.root, "run"]
      .concat("--bundle", bundle.path, runtime.id()),
    { env: { SECRET: "of the caller", LD_PRELOAD: "", DENO_DIR: "/dev/null/none" } },
  );
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  // ls itself opens the directory as 3; PWD and SHLVL are the shell's.
  assertEquals(stdout, "0\n1\n2\n3\nHOME=/root\nPATH=/bin\nPWD=/\nSHLVL=1\nTERM=xterm\n");
  for (const hook of ["runtime", "create", "start", "stop"]) {
    const file = (kind: string) => Deno.readTextFileSync(`${bundle.path}/spy/${hook}.${kind}`);
    assertEquals({ hook, fds: file("fd") }, { hook, fds: "0\n1\n2\n3\n" });
    assert(!/SECRET|DENO/.test(file("env")), `${hook}: ${file("env")}`);
  }
});

hostile("no descriptor or variable of the caller reaches exec", async (runtime) => {
  using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  const { stdout } = await command(
    ["bash", "-c", 'exec 3</etc/shadow 7</ 63</; exec "$@"', "bash"]
      .concat(runtime.executable, "--root", runtime.root, "exec", id)
      .concat("sh", "-c", "ls /proc/self/fd; env | sort"),
    { env: { SECRET: "of the caller" } },
  );
  assertEquals(stdout, "0\n1\n2\n3\nHOME=/root\nPATH=/bin\nPWD=/\nSHLVL=1\nTERM=xterm\n");
  await runtime.ok(["delete", "--force", id]);
});

hostile("/etc/passwd of any kind neither blocks nor misleads", async (runtime) => {
  const kinds: [string, (path: string) => void, string][] = [
    ["fifo", (path) => void new Deno.Command("mkfifo", { args: [path] }).outputSync(), "/"],
    ["directory", (path) => Deno.mkdirSync(path), "/"],
    ["symlink to a terminal", (path) => Deno.symlinkSync("/dev/tty", path), "/"],
    ["endless", (path) => Deno.symlinkSync("/dev/zero", path), "/"],
    ["symlink out", (path) => Deno.symlinkSync("../../../../../../etc/shadow", path), "/"],
    ["one long line", (path) => Deno.writeTextFileSync(path, "x".repeat(5_000_000)), "/"],
    ["no end of line", (path) => Deno.writeTextFileSync(path, "r:x:0:0:r:/home"), "/home"],
    ["too large an id", (path) => Deno.writeTextFileSync(path, "r:x:4294967296:0::/evil:\n"), "/"],
    ["binary", (path) => Deno.writeFileSync(path, new Uint8Array(4096)), "/"],
  ];
  for (const [kind, place, home] of kinds) {
    const { stdout } = await runtime.container((config, bundle) => {
      config.process.args = ["sh", "-c", "echo $HOME"];
      Deno.removeSync(`${bundle.rootfs}/etc/passwd`);
      place(`${bundle.rootfs}/etc/passwd`);
    });
    assertEquals({ kind, stdout }, { kind, stdout: `${home}\n` });
  }
});

hostile("an id cannot leave the state root", async (runtime) => {
  using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
  const nested = { root: `${runtime.root}/.roots/inner`, victim: `${runtime.root}/.roots/victim` };
  Deno.mkdirSync(nested.root, { recursive: true });
  Deno.mkdirSync(nested.victim);
  Deno.writeTextFileSync(
    `${nested.victim}/status`,
    '{"pid":0,"process-start-time":0,"bundle":"/"}',
  );
  const ids = ["", ".", "..", "../victim", "/etc", `/${nested.victim}`, "a/../../victim"];
  const more = ["a\nb", "a b", "ä", "%2e%2e", "$(id)", "x".repeat(256)];
  for (const id of [...ids, ...more]) {
    for (const verb of ["create", "run", "start", "state", "kill", "delete", "pause", "ps"]) {
      const options = ["create", "run"].includes(verb) ? ["--bundle", bundle.path] : [];
      const force = verb === "delete" ? ["--force"] : [];
      const { code, stderr } = await command(
        [runtime.executable, "--root", nested.root, verb, ...options, ...force, "--", id],
      );
      assert(
        code !== 0 && /invalid container id|container id is empty/.test(stderr),
        `${verb} ${id}: ${stderr}`,
      );
    }
    assertEquals([...Deno.readDirSync(nested.root)], []);
    assertEquals([...Deno.readDirSync(nested.victim)].length, 1);
  }
  Deno.removeSync(`${runtime.root}/.roots`, { recursive: true });
});

hostile("a state directory that belongs to somebody else is refused", async (runtime) => {
  using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
  const id = runtime.id();
  const path = `${runtime.root}/${id}`;
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(`${path}/status`, `{"pid":0,"process-start-time":0,"bundle":"/"}`);
  Deno.chownSync(path, 12345, 12345);
  for (const args of [["state", id], ["kill", id], ["start", id], ["delete", "--force", id]]) {
    const { code, stderr } = await runtime.run(args);
    const message = `state directory "${path}" belongs to user 12345, not to 0`;
    assertEquals({ code, stderr }, { code: 1, stderr: `runts: ${args[0]} "${id}": ${message}\n` });
  }
  const { stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
  assertEquals(
    stderr,
    `runts: create "${id}": state directory "${path}" belongs to user 12345, not to 0\n`,
  );
  Deno.removeSync(path, { recursive: true });
});

hostile("a state root that is a file is refused", async (runtime) => {
  using bundle = new Bundle();
  const root = `${bundle.path}/config.json`;
  const args = ["--root", root, "create", "--bundle", bundle.path, "one"];
  assertEquals(await command([runtime.executable, ...args]), {
    code: 1,
    stdout: "",
    stderr: `runts: create "one": state root "${root}" is not a directory\n`,
  });
});

hostile("a state directory that is a symlink is refused", async (runtime) => {
  const elsewhere = Deno.makeTempDirSync({ prefix: "runts-elsewhere-" });
  Deno.writeTextFileSync(`${elsewhere}/kept`, "");
  const id = runtime.id();
  const path = `${runtime.root}/${id}`;
  Deno.symlinkSync(elsewhere, path);
  for (const args of [["state", id], ["delete", "--force", id]]) {
    const { stderr } = await runtime.run(args);
    const message = `state directory "${path}" is not a directory`;
    assertEquals(stderr, `runts: ${args[0]} "${id}": ${message}\n`);
  }
  assertEquals([...Deno.readDirSync(elsewhere)].map(({ name }) => name), ["kept"]);
  Deno.removeSync(path);
  Deno.removeSync(elsewhere, { recursive: true });
});

hostile("a status that names another process signals nobody", async (runtime) => {
  using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
  const victim = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  try {
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const file = `${runtime.root}/${id}/status`;
    const status = Deno.readTextFileSync(file);
    Deno.writeTextFileSync(file, status.replace(/"pid": \d+/, `"pid": ${victim.pid}`));
    assertEquals((await runtime.state(id)).status, "stopped");
    for (const verb of ["kill", "start", "exec", "pause"]) {
      const { code } = await runtime.run([verb, id, ...(verb === "exec" ? ["true"] : [])]);
      assert(code !== 0, verb);
    }
    await runtime.ok(["delete", "--force", id]);
    assert(Deno.readTextFileSync(`/proc/${victim.pid}/stat`).includes(") S "), "it was killed");
  } finally {
    victim.kill("SIGKILL");
    await victim.status;
  }
});

hostile("a status whose cgroup is none kills and removes nothing", async (runtime) => {
  using bundle = new Bundle();
  const victim = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const outside = Deno.makeTempDirSync({ prefix: "runts-cgroup-" });
  try {
    Deno.mkdirSync(`${outside}/kept`);
    for (const name of ["cgroup.procs", "tasks"]) {
      Deno.writeTextFileSync(`${outside}/${name}`, `${victim.pid}\n`);
    }
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const file = `${runtime.root}/${id}/status`;
    const sound = Deno.readTextFileSync(file);
    const status = JSON.parse(sound);
    const controllers = Object.keys(status.cgroup.paths);
    const paths = Object.fromEntries(controllers.map((name) => [name, outside]));
    Deno.writeTextFileSync(
      file,
      JSON.stringify({ ...status, cgroup: { ...status.cgroup, paths } }),
    );
    const refused = `use recorded cgroup "${outside}": it is no cgroup below "`;
    await until("it has ended", async () => {
      await runtime.run(["kill", id, "KILL"]);
      return (await runtime.state(id)).status === "stopped";
    });
    const plain = await runtime.run(["delete", id]);
    assertEquals(plain.code, 1);
    assert(plain.stderr.startsWith(`runts: delete "${id}": ${refused}`), plain.stderr);
    // By force all goes but the cgroup, which is named.
    const { code, stderr } = await runtime.run(["delete", "--force", id]);
    assertEquals(code, 0, stderr);
    assert(stderr.startsWith(`runts: warning: ${refused}`), stderr);
    assert(stderr.endsWith("; it is left as it is\n"), stderr);
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
    assertEquals([...Deno.readDirSync(outside)].length, 3);
    assert(Deno.readTextFileSync(`/proc/${victim.pid}/stat`).includes(") S "), "it was killed");
    for (const directory of Object.values<string>(status.cgroup.paths)) Deno.removeSync(directory);
  } finally {
    victim.kill("SIGKILL");
    await victim.status;
    Deno.removeSync(outside, { recursive: true });
  }
});

hostile("copies and statuses of any shape end in a message", async (runtime) => {
  using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  const copy = `${runtime.root}/${id}/config.json`;
  const text = Deno.readTextFileSync(copy);
  const shapes = ["", "null", "[]", "{}", '{"process":7}', '{"linux":[]}', "[".repeat(100_000)];
  for (const shape of shapes) {
    Deno.writeTextFileSync(copy, shape);
    const { code, stdout, stderr } = await runtime.run(["exec", id, "true"]);
    assert(code === 0 || code === 255, `${shape.slice(0, 20)}: ${code} ${stderr}`);
    assert(stdout === "" && stderr.split("\n").length <= 2, `${shape.slice(0, 20)}: ${stderr}`);
    await until("it is listed", async () => (await runtime.ok(["list", "-q"])).trim() === id);
  }
  Deno.writeTextFileSync(copy, text);
  await runtime.ok(["delete", "--force", id]);
});
