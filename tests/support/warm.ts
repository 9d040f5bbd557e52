/** A warm brain for tests. */

import { assertEquals, equal } from "@std/assert";
import { readLink } from "../../lib/base/files.ts";
import { command, type Output, RUNTIME, until } from "./runtime.ts";
import { exists } from "./look.ts";

/** A process of `runts serve` with a directory of its own. */
export class WarmBrain implements AsyncDisposable {
  readonly directory: string;
  readonly #process: Deno.ChildProcess;

  private constructor(directory: string, line: readonly string[]) {
    this.directory = directory;
    this.#process = new Deno.Command(line[0]!, {
      args: line.slice(1),
      env: { RUNTS_BRAIN: directory },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  }

  /** Starts it, and waits until it listens. */
  static start(args: readonly string[] = [], executable = RUNTIME): Promise<WarmBrain> {
    return WarmBrain.startBy([executable, "serve", ...args]);
  }

  /** The same as on a kernel before 6.5, where a socket does not tell a pidfd of its peer. */
  static startAsBefore(): Promise<WarmBrain> {
    // Of two calls of getsockopt(2) for a peer, the second one is for the pidfd.
    const fails = ["-e", "inject=getsockopt:error=ENOPROTOOPT:when=2+2"];
    const strace = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=getsockopt", ...fails];
    return WarmBrain.startBy([...strace, RUNTIME, "serve"]);
  }

  /** Starts it by a command line, which is to be its pid's. */
  private static async startBy(line: readonly string[]): Promise<WarmBrain> {
    const folder = Deno.makeTempDirSync({ prefix: "runts-brain-" });
    const brain = new WarmBrain(folder, line);
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

  /** How many commands it has carried out. */
  async done(): Promise<number> {
    return (await this.#counts())[0];
  }

  /** How many commands are under way. */
  async atWork(): Promise<number> {
    return (await this.#counts())[1] - 1; // that which asks
  }

  async #counts(): Promise<[done: number, atWork: number]> {
    const { stdout } = await this.#status();
    const [, done, atWork] = /^commands: (\d+) carried .* (\d+) at work$/m.exec(stdout)!;
    return [Number(done), Number(atWork)];
  }

  #status(): Promise<Output> {
    return command([RUNTIME, "serve", "--status"], { env: this.env });
  }

  async isServing(): Promise<boolean> {
    return (await this.#status()).code === 0;
  }

  /** Those that it has while nobody asks. */
  async ownDescriptors(): Promise<string[]> {
    let [last, same] = [this.descriptors(), 0];
    await until("its descriptors stay", () => {
      const found = this.descriptors();
      same = equal(found, last) ? same + 1 : 0;
      last = found;
      return same > 5;
    });
    return last;
  }

  /** What its descriptors are, without numbers of what has no name, and without init, which it keeps. */
  descriptors(): string[] {
    const folder = `/proc/${this.pid}/fd`;
    return [...Deno.readDirSync(folder)].map(({ name }) => readLink(`${folder}/${name}`))
      // One without a path has been closed meanwhile. What V8 has compiled may be cleared away by another build.
      .filter((path) => path !== undefined && !path.startsWith("/memfd:runts-init"))
      .map((path) => path!.replace(/:\[\d+\]$| \(deleted\)$/, "")).sort();
  }

  /** These are all that it has, as soon as it has answered everybody. */
  async assertDescriptors(expected: readonly string[]): Promise<void> {
    const isSame = () => equal(this.descriptors(), expected);
    await until("the brain has closed what it has opened", isSame, 10_000).catch(() => {});
    assertEquals(this.descriptors(), expected);
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

/** Copies an executable as if it were of another build: with other digits for those of its front. */
export async function copyOfOtherBuild(from: string, to: string): Promise<void> {
  const { stdout } = await command([from, "version"]);
  const id = /^front: ([0-9a-f]{32})$/m.exec(stdout)![1]!;
  const bytes = Deno.readFileSync(from);
  const [digits, others] = [id, [...id].reverse().join("")].map((text) =>
    new TextEncoder().encode(text)
  ) as [Uint8Array, Uint8Array];
  for (let at = 0; (at = indexOf(bytes, digits, at)) >= 0;) bytes.set(others, at);
  Deno.writeFileSync(to, bytes, { mode: 0o755 });
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = from; (at = bytes.indexOf(wanted[0]!, at)) >= 0; at++) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
