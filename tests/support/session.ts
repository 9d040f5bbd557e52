/** A command on a terminal of its own, as a user in front of one has it. */

import { type Helper, loadHelper } from "../../ffi/helper.ts";
import type { WindowSize } from "../../ffi/terminal.ts";
import { openPty } from "./pty.ts";
import { until } from "./runtime.ts";

/** O_RDWR | O_NOCTTY | O_CLOEXEC */
const FLAGS = 0o2 | 0o400 | 0o2000000;
const UTF8 = new TextDecoder();

/** Session leader with the terminal as standard input and output; errors go to a file. */
const SCRIPT = 'tty=$1; err=$2; shift 2; exec setsid -c "$@" <>"$tty" >&0 2>"$err"';

/** The command and its terminal. */
export class Session implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #errors = Deno.makeTempFileSync({ prefix: "runts-errors-" });
  readonly #reading: Promise<void>;
  #ended = false;
  /** Path of the terminal. */
  readonly path: string;
  readonly #master: number;
  readonly #slave: number;
  /** The mode of the terminal before the command. */
  readonly modeBefore: string;
  /** All that appeared on the terminal. */
  output = "";

  private constructor(readonly helper: Helper, line: readonly string[], size: WindowSize) {
    ({ master: this.#master, path: this.path } = openPty());
    helper.setWindowSize(this.#master, size);
    this.#slave = helper.open(this.path, FLAGS); // without it the mode would be forgotten
    this.modeBefore = this.mode();
    this.#process = new Deno.Command("sh", {
      args: ["-c", SCRIPT, "-", this.path, this.#errors, ...line],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#reading = this.#read();
  }

  static async start(line: readonly string[], size = { rows: 24, cols: 80 }): Promise<Session> {
    return new Session(await loadHelper(), line, size);
  }

  get pid(): number {
    return this.#process.pid;
  }

  async #read(): Promise<void> {
    const bytes = new Uint8Array(65_536);
    for (;;) {
      const ready = await this.helper.awaitFds([this.#master], { timeoutMs: 20 });
      if (ready.length === 0 && this.#ended) return;
      if (ready.length === 0) continue;
      const length = this.helper.read(this.#master, bytes);
      this.output += UTF8.decode(bytes.subarray(0, length), { stream: true });
    }
  }

  /** Types. */
  type(text: string): void {
    this.helper.write(this.#master, new TextEncoder().encode(text));
  }

  /** Changes the size of the window; the kernel tells the foreground processes. */
  resize(size: WindowSize): void {
    this.helper.setWindowSize(this.#master, size);
  }

  /** Waits until a text has appeared. */
  async shows(text: string): Promise<void> {
    await until(
      `${JSON.stringify(text)} is shown`,
      () => this.output.includes(text),
    ).catch((error) => {
      throw new Error(
        `${error.message}; ${JSON.stringify(this.output.slice(-500))} ${this.errors}`,
      );
    });
  }

  /** The mode of the terminal (`stty -g`). */
  mode(): string {
    const { stdout } = new Deno.Command("stty", { args: ["-F", this.path, "-g"] }).outputSync();
    return new TextDecoder().decode(stdout);
  }

  /** What went to standard error. */
  get errors(): string {
    return Deno.readTextFileSync(this.#errors);
  }

  /** Waits for the end of the command and of its output. Gives its exit code. */
  async end(): Promise<number> {
    const { code } = await this.#process.status;
    this.#ended = true;
    await this.#reading;
    return code;
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) {
      try {
        this.#process.kill("SIGKILL");
      } catch {
        // it has ended by itself
      }
      await this.end();
    }
    this.helper.close(this.#slave);
    this.helper.close(this.#master);
    Deno.removeSync(this.#errors);
  }
}
