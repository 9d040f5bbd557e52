/**
 * What a test must leave behind as it found it: mounts, cgroups, processes of containers and the
 * state root. `withRuntime` gives a test its own state root and checks all of that at the end.
 */

import { readMountinfo } from "../../lib/base/mountinfo.ts";
import { assert, assertEquals } from "@std/assert";
import { isWithin } from "../../lib/base/paths.ts";
import { OTHERS } from "../../lib/state/id.ts";
import { Bundle, type Config } from "./bundle.ts";
import {
  command,
  commandLine,
  type CommandOptions,
  type Output,
  RUNTIME,
  until,
} from "./runtime.ts";

/** A runtime with a state root of its own. */
export class TestRuntime {
  #counter = 0;

  constructor(readonly root: string, readonly executable = RUNTIME) {}

  /** Runs the runtime with global options for this root and the given arguments. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<Output> {
    return command(commandLine(this.executable, ["--root", this.root, ...args]), options);
  }

  /** As {@linkcode run}; a failure fails the test with what it printed. Gives standard output. */
  async ok(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const output = await this.run(args, options);
    assertEquals(
      { code: output.code, stderr: output.stderr },
      { code: 0, stderr: output.stderr },
      `${args.join(" ")}: ${output.stderr}`,
    );
    return output.stdout;
  }

  /** Runs a bundle in the foreground and removes it. */
  async container(
    edit: (config: Config, bundle: Bundle) => void,
    options: CommandOptions = {},
  ): Promise<Output> {
    using bundle = new Bundle();
    edit(bundle.config, bundle);
    bundle.save();
    return await this.run(["run", "--bundle", bundle.path, this.id()], options);
  }

  /** An id that no other test uses, so that cgroups do not meet. */
  id(): string {
    return `t${Deno.pid}-${this.root.slice(-6)}-${this.#counter++}`;
  }

  /** The state of a container, as the runtime prints it. */
  async state(id: string): Promise<Config> {
    return JSON.parse(await this.ok(["state", id]));
  }

  untilStopped(id: string): Promise<void> {
    return until(`"${id}" has stopped`, async () => (await this.state(id)).status === "stopped");
  }

  /** Whatever is left of a container is listed, and nothing of it after `delete --force`. */
  async assertRemovable(id: string): Promise<void> {
    const rows: Config[] = JSON.parse(await this.ok(["list", "--format", "json"])) ?? [];
    for (const row of rows) {
      assertEquals(row.id, id);
      assert(["created", "running", "paused", "stopped"].includes(row.status), row.status);
    }
    await this.ok(["delete", "--force", id]);
    assertEquals(await this.ok(["list", "--quiet"]), "");
  }

  /** Executes a further process, which sleeps, and gives its pid. */
  async sleepInside(id: string): Promise<number> {
    const file = `${this.root}/pid`;
    await this.ok(["exec", "--detach", "--pid-file", file, id, "sleep", "1000"]);
    const pid = Number(Deno.readTextFileSync(file));
    Deno.removeSync(file);
    return pid;
  }
}

/** Runs a test with a runtime of its own; afterwards the host must be as it was before. */
export async function withRuntime(body: (runtime: TestRuntime) => Promise<void>): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "runts-root-" });
  const before = snapshot();
  const runtime = new TestRuntime(root);
  try {
    await body(runtime);
    assertEquals(leftIn(root), [], "left in state root");
    assertEquals(snapshot(), before, "the host is not as it was");
  } finally {
    await removeLeftovers(runtime);
    Deno.removeSync(root, { recursive: true });
  }
}

/** A test with a runtime of its own, as {@linkcode withRuntime}. */
export function runtimeTest(
  name: string,
  options: { ignore?: boolean },
  body: (runtime: TestRuntime) => Promise<void>,
): void {
  Deno.test({ name, ...options, fn: () => withRuntime(body) });
}

/** All but caches. */
function leftIn(root: string): string[] {
  const names = [...Deno.readDirSync(root)].map((entry) => entry.name);
  return names.filter((name) => !OTHERS.includes(name));
}

/** After a test that failed: by the runtime, and what that does not get rid of by hand. */
async function removeLeftovers(runtime: TestRuntime): Promise<void> {
  for (const name of leftIn(runtime.root)) await runtime.run(["delete", "--force", name]);
  for (const directory of cgroupDirectories("/sys/fs/cgroup", 3).reverse()) {
    if (!directory.includes(`-${runtime.root.slice(-6)}-`)) continue;
    for (const pid of Deno.readTextFileSync(`${directory}/cgroup.procs`).trim().split("\n")) {
      if (pid !== "") Deno.kill(Number(pid), "SIGKILL");
    }
    await until("the cgroup is empty", () => removed(directory));
  }
}

function removed(directory: string): boolean {
  try {
    Deno.removeSync(directory);
    return true;
  } catch {
    return false;
  }
}

/** Mounts and cgroups of the host. */
function snapshot(): { mounts: string[]; cgroups: string[] } {
  const mounts = readMountinfo("/proc/self")
    // systemd's services have such while they run, and its timers start them at any time.
    .filter(({ path }) => !path.startsWith("/run/credentials/"))
    .map(({ root, path }) => `${root} ${path}`);
  return { mounts, cgroups: cgroupDirectories("/sys/fs/cgroup", 3) };
}

/** Those that tests make: their ids begin with "t" and the test's process id. */
export function cgroupDirectories(path: string, depth: number): string[] {
  if (depth === 0) return [];
  const found: string[] = [];
  for (const entry of entriesOf(path)) {
    if (!entry.isDirectory) continue;
    if (entry.name.includes(`t${Deno.pid}-`)) found.push(`${path}/${entry.name}`);
    found.push(...cgroupDirectories(`${path}/${entry.name}`, depth - 1));
  }
  return found;
}

/** None if somebody else has removed the directory meanwhile. */
function entriesOf(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Whether a process runs; a zombie that waits for its parent does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** Whether a process is left whose root is in the bundle. */
export function hasProcesses(bundle: Bundle): boolean {
  return [...Deno.readDirSync("/proc")].some(({ name }) => {
    try {
      return /^\d+$/.test(name) && Deno.readLinkSync(`/proc/${name}/root`).startsWith(bundle.path);
    } catch {
      return false; // it has ended
    }
  });
}

/** Mount points of the host on the bundle's root filesystem and below it, relative to that. */
export function mountsOn(bundle: Bundle): string[] {
  return readMountinfo("/proc/self").map(({ path }) => path)
    .filter((path) => isWithin(path, bundle.rootfs))
    .map((path) => path.slice(bundle.rootfs.length));
}

/** The parent of a process. */
export function parentOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^PPid:\s*(\d+)$/m.exec(status)![1]);
}
