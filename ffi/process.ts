/** Processes: starting init, talking to it, pidfds, waiting. */

import { ECHILD, ESRCH, ETIMEDOUT } from "../lib/base/errno.ts";
import {
  Message,
  parseRecord,
  RECORD_HEADER,
  RECORD_MAX,
  type SyncRecord,
} from "../lib/wire/messages.ts";
import { check, cString, holding, ints, outside } from "./call.ts";
import type { Library } from "./library.ts";
import type { Waiter, WaitOptions } from "./waiter.ts";

/** What init is started with. */
export interface SpawnInit {
  /** Encoded plan (lib/plan). */
  readonly plan: Uint8Array;
  /** Descriptors of the plan's first slots; -1 leaves a slot empty. */
  readonly fds: readonly number[];
  /** Init reports how long each operation took. */
  readonly trace?: boolean;
  /** What becomes 0, 1 and 2; the caller's own if missing. */
  readonly stdio?: readonly [number, number, number];
  /** Number of descriptors from 3 on that init inherits. They must be open and not CLOEXEC. */
  readonly preserve?: number;
}

/** No event but the hang-up: of a pidfd, that its process was reaped. */
const HANG_UP = 0;

/** How a process ended (waitid(2)). `signal` 0: it exited with `code`. */
export interface ProcessEnding {
  readonly code: number;
  readonly signal: number;
  /** Whether it left a core dump. */
  readonly core: boolean;
}

/** Calls on processes. Those that may have to wait give promises, and hold nobody else up. */
export interface ProcessCalls {
  /**
   * Starts init out of a sealed memfd; what comes back is stage 1. Both it and the process that
   * it clones and reports (`Message.pid`) are children of this process: both want reaping. Why it
   * could not be executed comes as a `failed` record without an operation.
   * Only from the main thread: parent-death signals follow the thread (PR_SET_PDEATHSIG(2const)).
   */
  spawnInit(options: SpawnInit): { pid: number; pidfd: number; socket: number };
  /** The next record of the conversation. An aborted wait throws the signal's reason. */
  receive(socket: number, signal?: AbortSignal): Promise<SyncRecord | "eof">;
  /** Lets init go on. EPIPE when it is gone. */
  sendGo(socket: number): void;
  openPidfd(pid: number): number;
  /** ESRCH when the process has exited and was reaped. */
  sendSignal(pidfd: number, signal: number): void;
  /** Whether the process has exited (it may still want reaping). */
  exited(pidfd: number): boolean;
  /** Ends when it has, or at the timeout; gives whether it has. */
  awaitExit(pidfd: number, options?: Omit<WaitOptions, "events">): Promise<boolean>;
  /** Takes the ending of a child; undefined while it runs and when it is not our child. */
  reap(pidfd: number): ProcessEnding | undefined;
  /**
   * The ending of a process that is not our child, which its parent must reap within this time (ms);
   * undefined when that does not happen and before Linux 6.15 (PIDFD_GET_INFO).
   */
  exitStatus(pidfd: number, timeoutMs: number): Promise<ProcessEnding | undefined>;
  /**
   * Takes the ending of any child, an adopted one too. `running`: there are children, none has
   * ended; `none`: there are no children.
   */
  reapAny(): (ProcessEnding & { readonly pid: number }) | "running" | "none";
  /**
   * Waits for the ending of a child, and meanwhile reaps every other; undefined without such. Takes one
   * of the process' threads for blocking calls as long as it lasts: one a foreground command.
   */
  reapUntil(pid: number): Promise<ProcessEnding | undefined>;
  /** A copy of another process's descriptor (pidfd_getfd(2), Linux 5.6). */
  pidfdGetFd(pidfd: number, fd: number): number;
  /** Whether orphaned descendants become our children (PR_SET_CHILD_SUBREAPER). */
  setSubreaper(on: boolean): void;
  /**
   * Children stay until they are reaped, and SIGCHLD comes through, also where the caller ignores or
   * blocks it. Only from the main thread, as all of it.
   */
  keepChildren(): void;
  /** Descriptor of a new user namespace with these maps ("0 100000 65536\n"), without processes. */
  idMapNamespace(uidMap: string, gidMap: string): number;
}

export function processCalls(library: Library, waiter: Waiter): ProcessCalls {
  return { ...spawning(library), ...conversation(library, waiter), ...waiting(library, waiter) };
}

function spawning(library: Library): Pick<ProcessCalls, "spawnInit" | "idMapNamespace"> {
  return {
    spawnInit({ plan, fds, trace = false, stdio = [0, 1, 2], preserve = 0 }) {
      const spawned = ints([0, 0, 0]);
      const result = library.rts_spawn(
        plan as Uint8Array<ArrayBuffer>,
        BigInt(plan.length),
        ints(fds),
        fds.length,
        ints(stdio),
        preserve,
        trace ? 1 : 0,
        spawned,
      );
      check(result, "start init");
      return { pid: spawned[0]!, pidfd: spawned[1]!, socket: spawned[2]! };
    },
    idMapNamespace(uidMap, gidMap) {
      const result = library.rts_userns(cString(uidMap), cString(gidMap));
      return check(result, "make a user namespace for an idmapped mount");
    },
  };
}

function conversation(
  library: Library,
  waiter: Waiter,
): Pick<ProcessCalls, "receive" | "sendGo"> {
  const buffer = outside(RECORD_MAX);

  return {
    async receive(socket, signal) {
      for (;;) {
        signal?.throwIfAborted();
        const result = library.rts_receive(socket, buffer, RECORD_MAX, waiter.quick);
        if (result === 0) return "eof";
        if (result !== -ETIMEDOUT) {
          return parseRecord(buffer.slice(0, check(result, "hear from init")));
        }
        await waiter.waitLong([socket], { signal });
      }
    },
    sendGo(socket) {
      const record = outside(RECORD_HEADER);
      const view = new DataView(record.buffer);
      view.setInt32(0, Message.go, true);
      view.setInt32(4, -1, true);
      check(library.rts_send(socket, record, record.length), "answer init");
    },
  };
}

type Waiting = Omit<ProcessCalls, "spawnInit" | "idMapNamespace" | "receive" | "sendGo">;

function waiting(library: Library, waiter: Waiter): Waiting {
  return {
    openPidfd: (pid) => check(library.rts_pidfd_open(pid), () => `open process ${pid}`),
    sendSignal(pidfd, signal) {
      check(library.rts_pidfd_signal(pidfd, signal), () => `send signal ${signal}`);
    },
    exited: (pidfd) => waiter.look([pidfd]).length > 0,
    awaitExit: async (pidfd, options) => (await waiter.wait([pidfd], options)).length > 0,
    reap(pidfd) {
      const ending = ints([0, 0, 0, 0]);
      const result = library.rts_reap(pidfd, ending);
      if (result === -ECHILD || result === -ESRCH) return undefined;
      return check(result, "wait for a process") === 0 ? undefined : endingOf(ending);
    },
    async exitStatus(pidfd, timeoutMs) {
      await waiter.wait([pidfd], { timeoutMs, events: HANG_UP });
      const ending = ints([0, 0, 0, 0]);
      return library.rts_exit_status(pidfd, ending) === 1 ? endingOf(ending) : undefined;
    },
    reapAny() {
      const ending = ints([0, 0, 0, 0]);
      const result = library.rts_reap(-1, ending);
      if (result === -ECHILD) return "none";
      if (check(result, "wait for a process") === 0) return "running";
      return { pid: ending[0]!, ...endingOf(ending) };
    },
    async reapUntil(pid) {
      const ending = ints([0, 0, 0, 0]);
      const result = await holding(library.rts_reap_until(pid, ending), ending);
      return result === 1 ? endingOf(ending) : undefined;
    },
    pidfdGetFd: (pidfd, fd) =>
      check(library.rts_pidfd_getfd(pidfd, fd), () => `fetch descriptor ${fd} of a process`),
    keepChildren() {
      check(library.rts_keep_children(), "stop ignoring SIGCHLD");
    },
    setSubreaper(on) {
      check(library.rts_set_subreaper(on ? 1 : 0), "become a subreaper");
    },
  };
}

function endingOf(ending: Int32Array): ProcessEnding {
  return { code: ending[1]!, signal: ending[2]!, core: ending[3] === 1 };
}
