/**
 * What must be done by the process that stands for the caller, or by the parent of init. Verbs ask for it
 * here alone, so that another process can do it; the one that there is now is this one (local.ts).
 *
 * Descriptors that are handed over or given back are those of this process in any case.
 */

import type { HookEnding, HookProgram } from "../../ffi/hooks.ts";
import type { StartMonitor } from "../../ffi/monitor.ts";
import type { ProcessEnding } from "../../ffi/process.ts";
import type { Program } from "../../ffi/program.ts";
import type { WindowSize } from "../../ffi/terminal.ts";

export type { HookEnding, HookProgram, ProcessEnding, Program };

/**
 * Where the standard streams of the program come from: those of runts, /dev/null, or open file
 * descriptors of the calling process, which stay open and are the caller's to close. Those of a
 * `Deno.FsFile` have no number; `openSync` of `node:fs` gives one.
 */
export type Stdio = "inherit" | "null" | readonly [stdin: number, stdout: number, stderr: number];

/** What init is started with. */
export interface InitRequest {
  /** Encoded plan (lib/wire). */
  readonly plan: Uint8Array;
  /** Descriptors of the plan's first slots; -1 leaves a slot empty. */
  readonly fds: readonly number[];
  /** How many of the empty ones {@linkcode SpawnedInit.give} fills. Default: none. */
  readonly late?: number;
  /** Init reports how long each operation took. */
  readonly trace: boolean;
  readonly stdio: Stdio;
  /** Number of descriptors from 3 on that init inherits from the caller. */
  readonly preserve: number;
}

/** What counts for an init that has been started already. */
export type Spawning = Pick<InitRequest, "trace" | "stdio" | "preserve">;

/** What init can be started with before there is a plan. */
export interface EarlyInit extends Pick<InitRequest, "trace" | "preserve"> {
  /** That it makes at once, of those of its plan: UTS, IPC and network (CLONE_NEW*). */
  readonly namespaces: number;
}

/** A child of the body. */
export interface Child {
  readonly pid: number;
  /** Open in this process. */
  readonly pidfd: number;
}

/** Stage 1 of init, and this process' end of the conversation with it. */
export interface SpawnedInit extends Child {
  readonly socket: number;
  /** Hands over descriptors, by their slots, that were not there yet; they stay the caller's to close. */
  readonly give?: (slots: ReadonlyMap<number, number>) => void;
}

/** Init and what comes of it. */
interface Parent {
  /** Starts init. It, and the process that it clones and reports, are children of the body. */
  spawn(request: InitRequest): Promise<SpawnedInit>;
  /** Starts the init of the next spawn, with the caller's streams; absent where that saves nothing. */
  startEarly?(request: EarlyInit): void;
  /** Whether the init of a spawn with so many slots can be given descriptors late. */
  takesLate?(request: Spawning, slots: number): Promise<boolean>;
  /** Whether a child that has ended may be left to it. */
  readonly reapsByItself: boolean;
  /** Takes the ending of a child; undefined while it lives, and when it is not the body's. */
  reap(child: Child): Promise<ProcessEnding | undefined>;
  /**
   * Waits for a child to end; undefined without such a child.
   *
   * @param others meanwhile every other child is reaped
   */
  awaitEnd(child: Child, others: boolean): Promise<ProcessEnding | undefined>;
  /** Starts a monitor (c/monitor), which is nobody's child that must be reaped. */
  startMonitor(options: StartMonitor): Promise<void>;
  /** Orphaned descendants become its children. */
  adoptOrphans(): Promise<void>;
  /** A copy of a descriptor of a child (pidfd_getfd(2), Linux 5.6). */
  fetchDescriptor(child: Child, fd: number): Promise<number>;
}

/** How a tool ended, and what it said. */
export interface ToolEnding {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** What only the caller's own process is, has or may. */
interface CallersProcess {
  /** Runs a hook to its end; throws only when no process could be made. */
  runHook(program: HookProgram): Promise<HookEnding>;
  /** Runs a program of the caller's PATH, in `/`, without input. Throws what Deno does when it is not there. */
  runTool(tool: string, args: readonly string[]): Promise<ToolEnding>;
  /**
   * Runs a program that has the caller's streams and working directory, to its end; an aborted signal
   * ends it, and throws its reason. Throws RuntsError when it could not be executed.
   */
  runProgram(program: Program, signal?: AbortSignal): Promise<ProcessEnding>;
  /** Connects a stream to a unix socket. ETIMEDOUT when nobody accepts for 10 s. */
  connect(path: string): Promise<number>;
  /** Sends a datagram, as ffi/sockets.ts does. */
  sendDatagram(path: string, bytes: Uint8Array, fds: readonly number[]): Promise<void>;
  /** Opens a path that the caller names (open(2) with O_CLOEXEC). */
  open(path: string, flags: number, mode?: number): Promise<number>;
  /**
   * The lock of a container is held by this descriptor of this process, for the caller: hooks that the
   * caller runs must find it with the caller (lib/state/lock_holder.ts).
   */
  lockTaken(fd: number, path: string): void;
  /** The same body for one of several containers that are worked on at once: each has a lock of its own. */
  forOne(): Body;
  /** Whether the caller has the lock, too: as long as init runs hooks, whose ancestor it is. */
  shareLock(shared: boolean): Promise<void>;
  /** Whether a descriptor of the caller is open, and meant to be inherited. */
  isInheritable(fd: number): Promise<boolean>;
}

/** A process in the foreground: it gets the caller's signals, and perhaps its terminal. */
export interface Foreground {
  /** The process runs: it is handed the signals that have come, and those that come from now on. */
  forwardTo(pidfd: number): void;
  /**
   * Joins the caller's standard streams to a terminal, by its master, which stays the verb's to close.
   *
   * @param log descriptor of a file that gets what it shows as well, or -1
   */
  connect(master: number, log: number): Promise<void>;
  /**
   * Copies what is left, and gives the caller's terminal back as it was; signals do again what they
   * did before. Who was asked to end, by a signal, does not wait for a reader that does nothing.
   */
  end(): Promise<void>;
}

/** The caller's terminal and its signals. */
interface CallersTerminal {
  /** The size of the caller's terminal; undefined when none of its standard streams is one. */
  terminalSize(): Promise<WindowSize | undefined>;
  /** From now on the caller's signals are kept for a process that is about to run. */
  beginForeground(): Foreground;
}

/** All of it. */
export interface Body extends Parent, CallersProcess, CallersTerminal {}
