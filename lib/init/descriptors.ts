/** Opens the descriptors that a plan wants, in slot order. */

import { O_NONBLOCK, O_PATH, O_RDWR, O_WRONLY } from "../base/linux.ts";
import { RuntsError } from "../base/errors.ts";
import { openHookFile } from "../hooks/output_file.ts";
import type { InnerState, PlanSlot } from "../plan/plan.ts";
import type { OwnHelper } from "../runtime/runtime.ts";
import { formatMap } from "../userns/id_maps.ts";

/** The descriptors that a verb has at hand already; the list of slots names the others. */
export interface OwnFds {
  /** Path of exec.fifo and result.fifo. */
  readonly fifo?: string;
  readonly result?: string;
  /** Connected socket for the terminal's master. */
  readonly console?: number;
  /** The same for the terminals beside it, by their names. */
  readonly terminals?: Readonly<Record<string, number>>;
  /** pidfd of the container's init. */
  readonly pidfd?: number;
  /** Others, by their names. */
  readonly given?: Readonly<Record<string, number>>;
  /** Files for the state documents of hooks. */
  readonly states?: Readonly<Partial<Record<InnerState, number>>>;
}

/** Descriptors for a plan; `close` closes those that were opened here. */
interface OpenSlots {
  readonly fds: readonly number[];
  close(): void;
}

/** Those of the cgroup, which may come later than the others. */
export const LATE_KINDS = ["cgroup-dir", "cgroup-file"] as const;
export type LateKind = typeof LATE_KINDS[number];

/** Opens all of them, or none. `isLeft`: whether a slot is left empty. */
export function openSlots(
  helper: OwnHelper,
  slots: readonly PlanSlot[],
  own: OwnFds,
  isLeft: (slot: PlanSlot) => boolean = () => false,
): OpenSlots {
  const fds: number[] = [];
  const opened: number[] = [];
  const close = () => opened.splice(0).forEach((fd) => helper.close(fd));
  const keep = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  try {
    for (const slot of slots) {
      fds.push(isLeft(slot) ? -1 : openSlot(helper, slot, own, keep));
    }
  } catch (error) {
    close();
    throw error;
  }
  return { fds, close };
}

function openSlot(
  helper: OwnHelper,
  slot: PlanSlot,
  own: OwnFds,
  keep: (fd: number) => number,
): number {
  switch (slot.kind) {
    // Read and write: init keeps a writer, so that it waits instead of seeing the end of the file.
    case "fifo":
      return keep(helper.open(required(own.fifo, slot), O_RDWR | O_NONBLOCK));
    case "result":
      return keep(helper.open(required(own.result, slot), O_RDWR | O_NONBLOCK));
    case "console":
      return required(own.console, slot);
    case "terminal":
      return required(own.terminals?.[slot.name], slot);
    case "hook-state":
      return required(own.states?.[slot.status], slot);
    case "pidfd":
      return required(own.pidfd, slot);
    case "given":
      return required(own.given?.[slot.name], slot);
    case "cgroup-dir":
      return keep(helper.open(slot.path, O_PATH));
    case "hook-output":
      return keep(openHookFile(helper, slot.path, slot.from));
    case "cgroup-file":
      return keep(helper.open(slot.path, O_WRONLY));
    case "idmap-userns":
      return keep(helper.idMapNamespace(formatMap(slot.uidMap), formatMap(slot.gidMap)));
  }
}

function required<T>(value: T | undefined, slot: PlanSlot): T {
  if (value === undefined) throw new RuntsError(`the plan wants a ${slot.kind}, and there is none`);
  return value;
}
