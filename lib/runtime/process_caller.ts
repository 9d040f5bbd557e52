/** This process as the caller: the one place that asks what it is and what it was given. */

import { readBytesText } from "../base/bytes.ts";
import type { Caller } from "../base/caller.ts";
import { type CallerLimit, parseLimits } from "../base/caller_limits.ts";
import { raisedLimits } from "../base/raised_limits.ts";

/** The process that runts runs in. */
export class ProcessCaller implements Caller {
  readonly proc = "/proc/self";
  readonly pid = Deno.pid;
  #environment: readonly string[] | undefined;
  #uid: number | undefined;

  get uid(): number {
    return this.#uid ??= Deno.uid() ?? 0;
  }

  get gid(): number {
    return Deno.gid() ?? 0;
  }

  get umask(): number {
    const line = /^Umask:\s*([0-7]+)$/m.exec(Deno.readTextFileSync(`${this.proc}/status`));
    return parseInt(line?.[1] ?? "022", 8);
  }

  masked(mode: number): number {
    return mode & ~this.umask;
  }

  workingDirectory(): string {
    return Deno.cwd();
  }

  /**
   * The linked executable starts Deno with variables of its own in front; the kernel's copy
   * (proc_pid_environ(5)), which does not change, does not have them.
   */
  environment(): readonly string[] {
    return this.#environment ??= readBytesText(`${this.proc}/environ`)
      .split("\0").filter((entry) => entry !== "");
  }

  variable(name: string): string | undefined {
    const entry = this.environment().find((text) => text.startsWith(`${name}=`));
    return entry?.slice(name.length + 1) || undefined;
  }

  limits(): readonly CallerLimit[] {
    return parseLimits(raisedLimits());
  }
}
