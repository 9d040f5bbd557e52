/**
 * Takes a container through its life and shows each command with what it really prints. Works in
 * a directory of its own and leaves the host as it was.
 *
 *     tools/demo.ts [RUNTIME]      default: dist/runts
 */

import { basename, join } from "@std/path";
import { EXECUTABLE } from "./support/paths.ts";
import { fail } from "./support/run.ts";

const ID = "demo";
/** What the container runs; "pid $$" shows that it has a process table of its own. */
const PROGRAM =
  'echo "hello from $(hostname), pid $$ of $(ls -d /proc/[0-9]* | wc -l)"; sleep 1; echo bye';
const APPLETS = ["sh", "hostname", "ls", "wc", "sleep"];
/** Where the container's program prints to. */
const OUTPUT = "output";
const STOPPED_TIMEOUT_MS = 10_000;
const POLL_MS = 50;

/** A bundle with a state directory beside it. */
class Demo {
  constructor(readonly runtime: string, readonly folder: string) {}

  /** Shows and runs `runts ARGS` in the bundle; returns what it printed. */
  async show(...args: string[]): Promise<string> {
    const name = basename(this.runtime);
    const into = args[0] === "create" ? ` >${OUTPUT}` : "";
    console.log(`\n$ ${name} --root state ${args.join(" ")}${into}`);
    const { code, stdout, stderr } = await this.run(args);
    if (stdout.trim()) console.log(stdout.trimEnd());
    if (stderr.trim()) console.log(stderr.trimEnd());
    if (code !== 0) throw new Error(`"${name} ${args.join(" ")}" ended with code ${code}`);
    return stdout;
  }

  /**
   * Runs the runtime. The container keeps the standard streams of `create`, so those go to a
   * file.
   */
  async run(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const script = args[0] === "create"
      ? `exec "$0" --root state "$@" </dev/null >${OUTPUT} 2>errors`
      : 'exec "$0" --root state "$@"';
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", script, this.runtime, ...args],
      cwd: this.folder,
    }).output();
    const decoder = new TextDecoder();
    const errors = args[0] === "create" && code !== 0
      ? await Deno.readTextFile(join(this.folder, "errors"))
      : "";
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) + errors };
  }

  async makeBundle(): Promise<void> {
    const bin = join(this.folder, "rootfs", "bin");
    await Deno.mkdir(bin, { recursive: true });
    await Deno.chmod(this.folder, 0o755);
    await Deno.copyFile(await findBusybox(), join(bin, "busybox"));
    for (const applet of APPLETS) await Deno.symlink("busybox", join(bin, applet));
    console.log(`a bundle in ${this.folder}: busybox as root filesystem, and a configuration by`);
    await this.show("spec");
    const path = join(this.folder, "config.json");
    const config = JSON.parse(await Deno.readTextFile(path));
    config.process.terminal = false;
    config.process.args = ["sh", "-c", PROGRAM];
    await Deno.writeTextFile(path, JSON.stringify(config, null, 2));
    console.log(`(with "terminal": false and a program of its own)`);
  }

  /** Waits for the end of the program. */
  async waitUntilStopped(): Promise<void> {
    const deadline = Date.now() + STOPPED_TIMEOUT_MS;
    while (Date.now() < deadline) {
      const { stdout } = await this.run(["state", ID]);
      if (JSON.parse(stdout).status === "stopped") return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`the container did not stop within ${STOPPED_TIMEOUT_MS} ms`);
  }

  async play(): Promise<void> {
    await this.makeBundle();
    await this.show("create", ID);
    await this.show("state", ID);
    await this.show("list");
    await this.show("start", ID);
    await this.waitUntilStopped();
    console.log(`\n$ cat ${OUTPUT}`);
    console.log((await Deno.readTextFile(join(this.folder, OUTPUT))).trimEnd());
    await this.show("state", ID);
    await this.show("delete", ID);
    const left = await this.show("list", "--quiet");
    if (left !== "") throw new Error(`the container is still listed: ${left}`);
  }
}

async function findBusybox(): Promise<string> {
  for (const path of ["/bin/busybox", "/usr/bin/busybox"]) {
    if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
  }
  fail("busybox is missing: install the Debian package busybox-static");
}

async function main(runtime: string): Promise<void> {
  if (Deno.uid() !== 0) fail("the demo needs root");
  const folder = await Deno.makeTempDir({ prefix: "runts-demo-" });
  const demo = new Demo(runtime, folder);
  try {
    await demo.play();
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  } finally {
    await demo.run(["delete", "--force", ID]);
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main(Deno.args[0] ?? EXECUTABLE);
