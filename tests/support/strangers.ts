/** Cgroups and processes that are not the container's: a test makes them and looks at them afterwards. */

import { removeDirectories } from "../../lib/cgroup/clear.ts";
import { exists } from "./look.ts";
import { until } from "./runtime.ts";

/** A process that sleeps, in a cgroup of the test's choice. */
export class Stranger implements AsyncDisposable {
  readonly #child = new Deno.Command("/bin/sleep", { args: ["1000"] }).spawn();

  constructor(directory: string) {
    Deno.writeTextFileSync(`${directory}/cgroup.procs`, String(this.pid));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Sleeping, or frozen while it sleeps. */
  get isAlive(): boolean {
    return /\) [SD] /.test(Deno.readTextFileSync(`/proc/${this.pid}/stat`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

/** A cgroup that the test makes, and removes with what is left below it. */
export class OwnCgroup implements AsyncDisposable {
  constructor(readonly directory: string) {
    Deno.mkdirSync(directory, { recursive: true });
  }

  freeze(): Promise<void> {
    return setFrozen(this.directory, true);
  }

  thaw(): Promise<void> {
    return setFrozen(this.directory, false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (exists(this.directory)) await removeDirectories([this.directory]);
  }
}

/** Freezes or thaws a cgroup of either version, and waits until it is so. */
async function setFrozen(directory: string, frozen: boolean): Promise<void> {
  if (exists(`${directory}/freezer.state`)) {
    const state = frozen ? "FROZEN" : "THAWED";
    await until(`"${directory}" is ${state}`, () => {
      Deno.writeTextFileSync(`${directory}/freezer.state`, state);
      return Deno.readTextFileSync(`${directory}/freezer.state`).trim() === state;
    });
    return;
  }
  Deno.writeTextFileSync(`${directory}/cgroup.freeze`, frozen ? "1" : "0");
  await until(
    `"${directory}" is ${frozen ? "frozen" : "thawed"}`,
    () => Deno.readTextFileSync(`${directory}/cgroup.events`).includes(`frozen ${frozen ? 1 : 0}`),
  );
}
