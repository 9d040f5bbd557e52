/** Facts of the host that hold for a while. */

/** How long a fact is taken for true before it is looked up again, in ms. */
const AGE_MAX = 1_000;

/** Looks a fact up; `proc`: directory of /proc of the process whose view it is. */
type Look<T> = (proc: string) => T;

/** The host as a process sees it. What is asked for is looked up once, and again when that is too long ago. */
export class HostFacts {
  readonly #proc: string;
  readonly #maxAge: number;
  readonly #known: Map<Look<unknown>, { readonly value: unknown; readonly since: number }>;

  /**
   * @param proc directory of /proc of the process whose view it is
   * @param maxAge how long a fact is taken for true, in ms
   * @param known what has been looked up, perhaps with others
   */
  constructor(
    proc: string,
    maxAge = AGE_MAX,
    known: Map<Look<unknown>, { readonly value: unknown; readonly since: number }> = new Map(),
  ) {
    this.#known = known;
    this.#proc = proc;
    this.#maxAge = maxAge;
  }

  /** The fact that this function, the same each time, looks up. */
  get<T>(look: Look<T>): T {
    const now = performance.now();
    const known = this.#known.get(look);
    if (known !== undefined && now - known.since <= this.#maxAge) return known.value as T;
    const value = look(this.#proc);
    this.#known.set(look, { value, since: now });
    return value;
  }

  /** Everything is looked up again when it is next asked for. */
  renew(): void {
    this.#known.clear();
  }
}

/** This boot's id; a pid and start time of another boot may match by chance. */
export function bootId(): string {
  return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}

/** Whether the process is in another user namespace than the first, which maps every id to itself (user_namespaces(7)). */
export function isInUserNamespace(proc: string): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(Deno.readTextFileSync(`${proc}/uid_map`));
}
