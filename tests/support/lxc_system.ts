/** System containers for tests: busybox, in a directory of their own, started by LXC's commands. */

import { assertEquals } from "@std/assert";
import { LxcPath, type Runs } from "./lxc.ts";
import { type Output, RUNTIME, until } from "./runtime.ts";

const APPLETS =
  "cat chmod echo env false getty grep halt head hostname id init ip kill ls mkdir mknod mount ps " +
  "poweroff pwd readlink reboot setsid sh sleep stat stty test touch true tty umount uname wc";

/** Ends when it is asked to halt, and says what it was asked. */
const POLITE_INIT = `#!/bin/sh
trap 'echo asked to halt; exit 0' PWR
echo booted
while :; do sleep 0.05; done
`;

/** Some containers; disposing of them stops and removes them. */
export class Systems implements AsyncDisposable {
  readonly #lxcpath: LxcPath;
  readonly #names: string[] = [];

  /** @param runs who runs the commands; default: whoever runs the test */
  constructor(runs?: Runs) {
    this.#lxcpath = new LxcPath(runs);
  }

  /** Directory of the containers. */
  get path(): string {
    return this.#lxcpath.path;
  }

  /** Defines one with a root filesystem of its own; further lines come after the usual ones. */
  add(name: string, lines: readonly string[] = [], init = POLITE_INIT): void {
    const rootfs = this.rootfs(name);
    for (const directory of ["bin", "dev", "etc", "proc", "root", "sbin", "sys", "tmp", "usr"]) {
      Deno.mkdirSync(`${rootfs}/${directory}`, { recursive: true });
    }
    Deno.copyFileSync("/bin/busybox", `${rootfs}/bin/busybox`);
    for (const applet of APPLETS.split(" ")) Deno.symlinkSync("busybox", `${rootfs}/bin/${applet}`);
    Deno.writeTextFileSync(`${rootfs}/etc/passwd`, "root:x:0:0:root:/root:/bin/sh\n");
    Deno.writeTextFileSync(`${rootfs}/sbin/init`, init, { mode: 0o755 });
    this.define(name, lines);
  }

  /** Defines one whose root filesystem is empty; further lines come after the usual ones. */
  define(name: string, lines: readonly string[]): void {
    Deno.mkdirSync(this.rootfs(name), { recursive: true });
    this.#lxcpath.define(
      name,
      [
        `lxc.rootfs.path = dir:${this.rootfs(name)}`,
        `lxc.uts.name = ${name}`,
        "lxc.net.0.type = empty",
        "lxc.pty.max = 64",
        "lxc.mount.auto = proc:mixed sys:mixed",
        `lxc.console.logfile = ${this.log(name)}`,
        "lxc.apparmor.profile = unconfined",
        ...lines,
        "",
      ].join("\n"),
    );
    this.#names.push(name);
  }

  /** Lets everybody reach a root filesystem, as the ids of a container that maps its own must. */
  open(name: string): void {
    for (let at = this.rootfs(name); at !== "/tmp"; at = at.replace(/\/[^/]*$/, "")) {
      Deno.chmodSync(at, 0o755);
    }
  }

  /** Mounts of the host below the directory of the containers. */
  mountsOfHost(): string[] {
    const lines = Deno.readTextFileSync("/proc/self/mountinfo").split("\n");
    return lines.filter((line) => line.includes(` ${this.path}/`));
  }

  rootfs(name: string): string {
    return `${this.path}/${name}/rootfs`;
  }

  /** The log of its console. */
  log(name: string): string {
    return `${this.path}/${name}/console.log`;
  }

  /** What its console has shown. */
  shown(name: string): string {
    try {
      return Deno.readTextFileSync(this.log(name)).replaceAll("\r", "");
    } catch {
      return "";
    }
  }

  /** Runs a command for these containers. */
  run(verb: string, ...args: string[]): Promise<Output> {
    return this.#lxcpath.run(verb, ...args);
  }

  /** The same; it must succeed, and its output is given. */
  async ok(verb: string, ...args: string[]): Promise<string> {
    const output = await this.run(verb, ...args);
    assertEquals({ code: output.code, stderr: output.stderr }, { code: 0, stderr: "" });
    return output.stdout;
  }

  /** Runs a command that goes on until it is ended. */
  follow(verb: string, ...args: string[]): Followed {
    return new Followed(["-P", this.path, ...args], verb);
  }

  /** Runs a script inside; its output. */
  async inside(name: string, script: string): Promise<string> {
    return await this.ok("attach", "-n", name, "--", "/bin/sh", "-c", script);
  }

  async state(name: string): Promise<string> {
    return (await this.ok("info", "-n", name, "-sH")).trim();
  }

  /** Starts it, and waits until its init has said so. */
  async start(name: string, ...args: string[]): Promise<void> {
    await this.ok("start", "-n", name, ...args);
    await this.untilShown(name, "booted\n");
  }

  async untilState(name: string, state: string): Promise<void> {
    await until(`${name} is ${state}`, async () => await this.state(name) === state);
  }

  /** Waits until its console has shown a text so often. */
  async untilShown(name: string, text: string, times = 1): Promise<void> {
    const wanted = `${name} shows ${JSON.stringify(text)}`;
    await until(wanted, () => this.shown(name).split(text).length > times);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names) await this.run("stop", "-n", name, "-k");
    this.#lxcpath[Symbol.dispose]();
  }
}

/** Cgroups below the root of a hierarchy that belong to containers. */
export function cgroupsOf(name: string): string[] {
  const hierarchies = Array.from(Deno.readDirSync("/sys/fs/cgroup"), (one) => one.name);
  return hierarchies.flatMap((hierarchy) => {
    try {
      return Array.from(Deno.readDirSync(`/sys/fs/cgroup/${hierarchy}`), (one) => one.name);
    } catch {
      return [];
    }
  }).filter((one) => one.startsWith("lxc.") && one.includes(name));
}

/** A command that goes on, and what it has printed. */
class Followed {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;
  text = "";

  constructor(args: readonly string[], verb: string) {
    const line = ["lxc", verb, ...args];
    this.#child = new Deno.Command(RUNTIME, { args: line, stdout: "piped" }).spawn();
    this.#read = this.#collect();
  }

  async #collect(): Promise<void> {
    for await (const part of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.text += part;
    }
  }

  /** Waits until it has opened what it follows. */
  async ready(): Promise<void> {
    await until(
      "it follows",
      () =>
        Array.from(Deno.readDirSync(`/proc/${this.#child.pid}/fd`), ({ name }) => name).some(
          (fd) => {
            try {
              return Deno.readLinkSync(`/proc/${this.#child.pid}/fd/${fd}`).endsWith(
                "events.ndjson",
              );
            } catch {
              return false;
            }
          },
        ),
    );
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#read;
  }
}
