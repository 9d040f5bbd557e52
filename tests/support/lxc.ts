/**
 * LXC's commands: those of dist/runts, or LXC's own where `LXC` is what their names begin with
 * (`LXC=/usr/bin/lxc-`), so that a test of what LXC does is proven before it judges.
 */

import { command, type CommandOptions, type Output, RUNTIME } from "./runtime.ts";

/** What the names of LXC's own commands begin with; undefined for those of runts. */
const PEER = Deno.env.get("LXC");

/** For tests of what runts alone does, or says in these words; a remark beside it tells which. */
export const RUNTS_LXC_ONLY = { ignore: PEER !== undefined };
/** Whether LXC itself is asked. */
export const IS_LXC = PEER !== undefined;

/** Runs command lines, as somebody. */
export type Runs = (line: readonly string[]) => Promise<Output>;

/** Containers in a directory of their own. */
export class LxcPath implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "runts-lxc-" });
  readonly #runs: Runs;

  constructor(runs: Runs = command) {
    this.#runs = runs;
  }

  /** Defines a container; gives the path of its configuration. */
  define(name: string, config: string): string {
    Deno.mkdirSync(`${this.path}/${name}`, { recursive: true });
    Deno.writeTextFileSync(`${this.path}/${name}/config`, config);
    return `${this.path}/${name}/config`;
  }

  /** Runs a command for these containers. */
  run(verb: string, ...args: string[]): Promise<Output> {
    return this.#runs(lxcLine(verb, ["-P", this.path, ...args]));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Runs a command of LXC's. */
export function lxc(
  verb: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Output> {
  return command(lxcLine(verb, args), options);
}

/** The command line of a command of LXC's. */
export function lxcLine(verb: string, args: readonly string[]): string[] {
  const line = PEER === undefined ? [RUNTIME, "lxc", verb] : [`${PEER}${verb}`];
  return [...line, ...args];
}
