/** Callers that differ in all that a program passes on, and what was seen of those who were started for them. */

import { buildPayload } from "./payload.ts";
import type { Seen } from "./seen.ts";

/** How many kinds there are (tests/payload/caller.c). */
export const CALLER_KINDS = 3;

/** What a caller says of itself. */
export interface CallerNote {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  /** Serial of its session keyring. */
  readonly keyring: number;
}

/** A folder with the programs `caller` and `payload`. */
export class CallerPrograms implements Disposable {
  private constructor(readonly folder: string) {}

  static async build(): Promise<CallerPrograms> {
    const folder = Deno.makeTempDirSync({ prefix: "runts-callers-" });
    for (const name of ["caller", "payload"]) {
      Deno.writeFileSync(`${folder}/${name}`, await buildPayload(name), { mode: 0o755 });
    }
    return new CallerPrograms(folder);
  }

  get caller(): string {
    return `${this.folder}/caller`;
  }

  get payload(): string {
    return `${this.folder}/payload`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Lines of proc_pid_status(5) that differ from one process to the next. */
const PASSING =
  /^(Pid|Tgid|Ngid|PPid|NS\w+|Vm\w+|Rss\w+|\w*ctxt_switches|Threads|FDSize|HugetlbPages)$/;
/** Below this a number is one of a pid namespace of a container. */
const INSIDE = 100;

/**
 * What a program saw of itself, with roles in the place of what is another number each time: of processes,
 * keyrings, pipes and namespaces.
 *
 * @param host what the caller would have reported
 */
export function withRoles(seen: Seen, caller: CallerNote, host: Seen): Record<string, unknown> {
  const role = (number: number) => {
    if (number < INSIDE) return number;
    if (number === caller.pid) return "the command";
    if (number === seen.pid) return "itself";
    if (number === caller.group) return "the caller's group";
    return number === caller.session ? "the caller's session" : "another";
  };
  const { pid: _, parent, group, session, foreground, status, namespaces, given, ...rest } = seen;
  const lines = Object.entries(status).filter(([name]) => !PASSING.test(name));
  return {
    ...rest,
    ...{ parent: role(parent), group: role(group), session: role(session) },
    foreground: role(foreground),
    // How many signals of this user wait is of no matter, and how many may is.
    status: { ...Object.fromEntries(lines), SigQ: status.SigQ?.replace(/^\d+/, "") },
    namespaces: Object.fromEntries(
      Object.entries(namespaces).map(([name, link]) =>
        [name, link === host.namespaces[name] ? "the host's" : "its own"] as const
      ),
    ),
    given: {
      ...given,
      serial: given.serial === caller.keyring ? "the caller's" : given.serial > 0 ? "another" : 0,
    },
    fds: Object.fromEntries(
      Object.entries(seen.fds).map(([fd, link]) =>
        [fd, link.replace(/^(pipe|socket):\[\d+\]$/, "$1")] as const
      ),
    ),
  };
}
