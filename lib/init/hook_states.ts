/** The state documents of hooks that init runs. It gets them as files in memory: of any length. */

import type { InnerState, PlanSlot } from "../plan/plan.ts";
import type { OwnHelper } from "../runtime/runtime.ts";
import type { State } from "../spec/types/config.ts";

/** The files; disposing of it closes them. */
export class HookStates implements Disposable {
  readonly #helper: OwnHelper;
  readonly fds: Partial<Record<InnerState, number>> = {};

  /** Makes those that the slots of a plan ask for. */
  constructor(helper: OwnHelper, slots: readonly PlanSlot[]) {
    this.#helper = helper;
    try {
      for (const slot of slots) {
        if (slot.kind === "hook-state") this.fds[slot.status] ??= helper.memoryFile("hook-state");
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Writes each once; init reads them when it goes on. */
  write(document: (status: InnerState) => State): void {
    for (const [status, fd] of Object.entries(this.fds)) {
      const text = JSON.stringify(document(status as InnerState));
      this.#helper.write(fd, new TextEncoder().encode(text));
    }
  }

  [Symbol.dispose](): void {
    for (const fd of Object.values(this.fds)) this.#helper.close(fd);
  }
}
