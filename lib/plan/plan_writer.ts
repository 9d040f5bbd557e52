/** A plan in the making: what the files of lib/plan share while they add to it. */

import { RuntsError } from "../base/errors.ts";
import type { IdMapping, Linux } from "../spec/types/config.ts";
import { type Op, SLOTS_MAX } from "../wire/ops.ts";
import type { ContainerInput, Plan, PlanHost, PlanSlot } from "./plan.ts";

/** The namespaces that a configuration asks for, as masks of CLONE_NEW*. */
export interface NamespaceSet {
  /** Those to be made. */
  readonly fresh: number;
  /** Those to be joined. */
  readonly joined: number;
  readonly joins: readonly NamespaceJoin[];
}

export interface NamespaceJoin {
  readonly kind: number;
  readonly path: string;
  /** JSON path. */
  readonly from: string;
}

/** What the parts of a container's plan look at. */
export interface Container {
  readonly input: ContainerInput;
  readonly linux: Linux;
  readonly namespaces: NamespaceSet;
  /** Absolute path on the host. */
  readonly rootfs: string;
  /** The container has a user namespace that runts is not in, new or joined. */
  readonly userNamespace: boolean;
  /** The container has a mount namespace that runts is not in. */
  readonly mountNamespace: boolean;
  /** runts may read what the container's root may not: bind sources are opened beforehand. */
  readonly openEarly: boolean;
}

/** Operations, slots and warnings, in the order in which they were asked for. */
export class PlanWriter {
  readonly ops: Op[] = [];
  readonly slots: PlanSlot[] = [];
  readonly warnings: string[] = [];
  readonly host: PlanHost;
  #filled = 0;

  constructor(host: PlanHost) {
    this.host = host;
  }

  add(...ops: readonly Op[]): void {
    this.ops.push(...ops);
  }

  /** The slot of a descriptor that runts hands over. */
  slot(wanted: PlanSlot): number {
    if (this.slots.length >= SLOTS_MAX) {
      throw new RuntsError(`the container needs more than ${SLOTS_MAX} descriptors of runts`);
    }
    return this.slots.push(wanted) - 1;
  }

  /** A slot that an operation fills. */
  freeSlot(): number {
    return SLOTS_MAX + this.#filled++;
  }

  /** The slot of a user namespace with these maps; equal maps share one. */
  idmapSlot(uidMap: readonly IdMapping[], gidMap: readonly IdMapping[]): number {
    const wanted = JSON.stringify([uidMap, gidMap]);
    const known = this.slots.findIndex((slot) =>
      slot.kind === "idmap-userns" && JSON.stringify([slot.uidMap, slot.gidMap]) === wanted
    );
    return known >= 0 ? known : this.slot({ kind: "idmap-userns", uidMap, gidMap });
  }

  result(): Plan {
    return { ops: this.ops, slots: this.slots, warnings: this.warnings };
  }
}
