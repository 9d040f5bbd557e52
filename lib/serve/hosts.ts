/** Facts of the host that hold for many callers: all are in the namespaces of the brain. */

import type { Caller } from "../base/caller.ts";
import { HostFacts } from "../runtime/host.ts";
import type { Mounts } from "./remote.ts";

type Known = ConstructorParameters<typeof HostFacts>[2];

/** Of so many places in the cgroups something is known at a time. */
const PLACES_MAX = 16;

/**
 * What was looked up holds until something else is mounted, for those who are in the same cgroups: nothing
 * that is asked of `HostFacts` depends on more.
 */
export class Hosts {
  readonly #mounts: Mounts;
  #version = 0;
  readonly #known = new Map<string, NonNullable<Known>>();

  constructor(mounts: Mounts) {
    this.#mounts = mounts;
  }

  /** The host as this caller sees it, which is in these cgroups (/proc/PID/cgroup). */
  of({ proc }: Caller, place: string): HostFacts {
    const { version } = this.#mounts;
    if (version !== this.#version || this.#known.size > PLACES_MAX) this.#known.clear();
    this.#version = version;
    const known = this.#known.get(place) ?? new Map();
    this.#known.set(place, known);
    return new HostFacts(proc, Infinity, known);
  }
}
