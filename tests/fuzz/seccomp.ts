/** Seccomp profiles: refused in words, or compiled to a program that the kernel takes. */

import { TextLineStream } from "../support/fuzz/lines.ts";
import { profiles } from "../support/fuzz/corpus.ts";
import type { Target } from "../support/fuzz/target.ts";

/** In ms. Nothing takes that long but what never ends. */
const DEADLINE = 60_000;
const CHILD = new URL("../support/fuzz/seccomp_child.ts", import.meta.url).pathname;

/** Rules with several conditions for one system call, which libseccomp makes most of. */
const SMALL = JSON.stringify({
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: ["SCMP_CMP_LE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"].map((op) => ({
    names: ["read", "write"],
    action: "SCMP_ACT_ERRNO",
    args: [{ index: 1, value: 3, op: "SCMP_CMP_GE" }, { index: 2, value: 1, valueTwo: 1, op }],
  })),
});

/** libseccomp may loop or crash, so it is asked in a process of its own. */
export function seccomp(): Target {
  let child: Child | undefined;
  return {
    name: "seccomp",
    seeds: [...profiles(), SMALL],
    async attempt(text) {
      child ??= new Child();
      const answer = await child.ask(text);
      if (answer.fault !== undefined) throw new Error(answer.fault);
      if (answer.last) {
        await child.end();
        child = undefined;
      }
      return answer.text;
    },
    close: async () => await child?.end(),
  };
}

/** What the child says of a profile. */
export interface Answer {
  readonly text: string;
  /** What is wrong with the project. */
  readonly fault?: string;
  /** The child has a thread that never ends: there should be another one. */
  readonly last?: boolean;
}

class Child {
  readonly #process: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;

  constructor() {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", CHILD],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#stdin = this.#process.stdin.getWriter();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  async ask(text: string): Promise<Answer> {
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), DEADLINE);
    await this.#stdin.write(new TextEncoder().encode(`${JSON.stringify(text)}\n`));
    const { value } = await this.#lines.read();
    clearTimeout(timer);
    if (value !== undefined) return JSON.parse(value);
    const { code, signal } = await this.#process.status;
    return { text: "", fault: `the compiling process ended: code ${code}, signal ${signal}` };
  }

  async end(): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#lines.cancel();
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#process.status;
  }
}
