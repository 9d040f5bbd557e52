/** A warm brain for tests. */

import { RUNTIME, until } from "./runtime.ts";

/** A process of `runts serve` with a directory of its own. */
export class WarmBrain implements AsyncDisposable {
  readonly directory: string;
  readonly #process: Deno.ChildProcess;

  private constructor(directory: string, args: readonly string[], executable: string) {
    this.directory = directory;
    this.#process = new Deno.Command(executable, {
      args: ["serve", ...args],
      env: { RUNTS_BRAIN: directory },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  }

  /** Starts it, and waits until it listens. */
  static async start(args: readonly string[] = [], executable = RUNTIME): Promise<WarmBrain> {
    const folder = Deno.makeTempDirSync({ prefix: "runts-brain-" });
    const brain = new WarmBrain(folder, args, executable);
    await until("the brain listens", () => exists(`${folder}/socket`));
    return brain;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What a command needs in its environment to find it, and to wait for it on a busy host. */
  get env(): Readonly<Record<string, string>> {
    return { RUNTS_BRAIN: this.directory, RUNTS_TEST_WARM: "1" };
  }

  /** The same for env(1). */
  get words(): string[] {
    return Object.entries(this.env).map((entry) => entry.join("="));
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits for its end; gives how it ended, and what it said. */
  async end(): Promise<{ readonly code: number; readonly stderr: string }> {
    const [{ code }, stderr] = await Promise.all([
      this.#process.status,
      new Response(this.#process.stderr).text(),
    ]);
    return { code, stderr };
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGTERM");
    } catch {
      // it has ended
    }
    if (!this.#process.stderr.locked) await this.end();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
