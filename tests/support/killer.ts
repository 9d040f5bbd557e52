/** Ends processes of a test at moments that nobody chose. */

import { isRunning, type TestRuntime } from "./host.ts";
import type { Random } from "./fuzz/random.ts";

/** Between two looks, in ms. */
const PAUSE = 15;

/** Kills the commands that monitors run, one in so many that it sees, until it is disposed of. */
export class BrainKiller implements AsyncDisposable {
  /** How many it has killed. */
  killed = 0;
  readonly #seen = new Set<number>();
  readonly #done: Promise<void>;
  #over = false;

  constructor(
    private readonly runtime: TestRuntime,
    private readonly random: Random,
    private readonly oneIn: number,
  ) {
    this.#done = this.#work();
  }

  async #work(): Promise<void> {
    while (!this.#over) {
      for (const pid of brainsOf(this.runtime)) {
        if (this.#seen.has(pid)) continue;
        this.#seen.add(pid);
        if (this.random.oneIn(this.oneIn) && killIfThere(pid)) this.killed++;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#done;
  }
}

/** SIGKILL; false when it has ended already. */
export function killIfThere(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** Processes of `settle` for containers of this root. */
function brainsOf({ root }: TestRuntime): number[] {
  return processes((pid) => {
    const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
    return words.includes(`\0--root\0${root}\0settle\0`) && isRunning(pid);
  });
}

/** Children that nobody has reaped. */
export function zombies(): number[] {
  return processes((pid) => /^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`)));
}

function processes(fits: (pid: number) => boolean): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    try {
      return pid > 0 && fits(pid);
    } catch {
      return false; // it has ended
    }
  });
}
