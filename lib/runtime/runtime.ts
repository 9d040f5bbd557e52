/** What a verb depends on beside its options. Every verb takes it first. */

import type { Helper } from "../../ffi/helper.ts";
import type { Body } from "../body/body.ts";
import type { Caller } from "../base/caller.ts";
import type { CallersFiles } from "../base/document_file.ts";
import type { Trace } from "../base/trace.ts";
import { turn } from "../base/turn.ts";
import { HostFacts, isInUserNamespace } from "./host.ts";
import { ProcessCaller } from "./process_caller.ts";
import { defaultRoot } from "./root.ts";

/** What can be chosen of a {@linkcode Runtime}: the global options of the command line, and whose work it is. */
export interface RuntimeSettings {
  /** Directory of the state directories: /run/runts, or $XDG_RUNTIME_DIR/runts when not root. */
  readonly root?: string;
  /** How cgroups are made; default `cgroupfs`. */
  readonly cgroupManager?: "cgroupfs" | "systemd" | "disabled";
  /** Whether failing to make a cgroup is tolerated; `auto`: when runts is not real root. */
  readonly rootless?: "auto" | boolean;
  /** Takes warnings, one line each, without prefix. */
  readonly warn?: (message: string) => void;
  /** Takes the steps of the work as they are done; absent when nobody asked. */
  readonly debug?: (line: string) => void;
  /**
   * Whoever the work is done for; default this process.
   * @internal
   */
  readonly caller?: Caller;
  /**
   * What is taken for true of the host; default what the caller sees.
   * @internal
   */
  readonly host?: HostFacts;
  /**
   * Who is the parent of containers and stands for the caller; default this process.
   * @internal
   */
  readonly body?: Body;
  /**
   * How what the caller names is read; default so that nothing else has to wait.
   * @internal
   */
  readonly files?: CallersFiles;
  /**
   * How long a wait may hold up the event loop before a thread of its own goes on with it, in ms; default 0.
   * @internal
   */
  readonly patience?: number;
  /**
   * Whether anybody else may want the event loop; default always.
   * @internal
   */
  readonly isShared?: () => boolean;
}

/** Calls that are made by the body alone: through this process' own library they would be another's. */
type OfBody =
  | "spawnInit"
  | "reap"
  | "reapAny"
  | "reapUntil"
  | "setSubreaper"
  | "runHook"
  | "pidfdGetFd"
  | "connectUnix"
  | "sendDatagram"
  | "fdFlags"
  | "isOpenFd"
  | "isTerminal"
  | "windowSize"
  | "rawMode"
  | "restoreMode"
  | "relay"
  | "beginForwarding"
  | "forwardTo"
  | "forwardSize"
  | "tellOfRequests"
  | "endForwarding";

/** What any process with the same rights can do. */
export type OwnHelper = Omit<Helper, OfBody>;

/**
 * What verbs are carried out with: settings, and whom and what they depend on. Several stand side by side in
 * one process.
 */
export class Runtime {
  /** Directory of the state directories; absolute. */
  readonly root: string;
  /** How cgroups are made; undefined: by their file systems. */
  readonly cgroupManager: RuntimeSettings["cgroupManager"];
  readonly #rootless: "auto" | boolean;
  /** Takes warnings, one line each, without prefix. */
  readonly warn: (message: string) => void;
  /** Takes the steps of the work as they are done; absent when nobody asked. */
  readonly debug: ((line: string) => void) | undefined;
  /**
   * Whoever the work is done for.
   * @internal
   */
  readonly caller: Caller;
  /**
   * What the caller sees of the host.
   * @internal
   */
  readonly host: HostFacts;
  /**
   * How what the caller names is read.
   * @internal
   */
  readonly files: CallersFiles;
  /**
   * How long a wait may hold up the event loop, in ms.
   * @internal
   */
  readonly patience: number;
  readonly #isShared: () => boolean;
  /**
   * The helper library; undefined until a verb that does not do without has loaded it.
   * @internal
   */
  helper: OwnHelper | undefined;
  /**
   * Who is the parent of containers; undefined as the library is, unless it was given.
   * @internal
   */
  body: Body | undefined;
  /**
   * Takes note of what is done, and when; absent when nobody asked.
   * @internal
   */
  trace: Trace | undefined;

  /** Nothing is looked up, loaded or made before it is needed. */
  constructor(settings: RuntimeSettings = {}) {
    this.caller = settings.caller ?? new ProcessCaller();
    this.host = settings.host ?? new HostFacts(this.caller.proc);
    this.root = settings.root ?? defaultRoot(this.caller, this.host);
    this.cgroupManager = settings.cgroupManager;
    this.#rootless = settings.rootless ?? "auto";
    this.warn = settings.warn ?? (() => {});
    this.debug = settings.debug;
    this.files = settings.files ?? { read: (file) => this.#readLater(file), stat: Deno.stat };
    this.patience = settings.patience ?? 0;
    this.#isShared = settings.isShared ?? (() => true);
    this.body = settings.body;
  }

  /** Whether failing to make a cgroup is tolerated: for all but real root, unless it was chosen. */
  get rootless(): boolean {
    if (this.#rootless !== "auto") return this.#rootless;
    return this.caller.uid !== 0 || this.host.get(isInUserNamespace);
  }

  /**
   * Whether anybody else may want the event loop.
   * @internal
   */
  get isShared(): boolean {
    return this.#isShared();
  }

  /**
   * Lets everybody else have a turn of the event loop, unless this is all that the process does.
   * @internal
   */
  turn(): Promise<void> {
    return this.patience > 0 || !this.isShared ? Promise.resolve() : turn();
  }

  /**
   * Does a part of the work, which a trace tells of.
   * @internal
   */
  timed<T>(what: string, body: () => T): T {
    return this.trace === undefined ? body() : this.trace.timed(what, body);
  }

  async #readLater(file: string): Promise<string> {
    const [{ load }, { readDocumentLater }] = await Promise.all([
      import("./load.ts"),
      import("./document.ts"),
    ]);
    return await readDocumentLater((await load(this)).helper, file);
  }
}

/** A runtime with the helper library at hand. */
export type LoadedRuntime = Runtime & { readonly helper: OwnHelper; readonly body: Body };

/** What functions for scripts take: a runtime, or the settings of one. */
export type RuntimeOrSettings = Runtime | RuntimeSettings;

/** The runtime that is meant. */
export function runtimeOf(given: RuntimeOrSettings): Runtime {
  return given instanceof Runtime ? given : new Runtime(given);
}

/** The same with other settings. */
export function withSettings<R extends Runtime>(runtime: R, settings: RuntimeSettings): R {
  const { root, cgroupManager, rootless, warn, debug, caller, host, files, patience, body } =
    runtime;
  const isShared = () => runtime.isShared;
  const other = new Runtime({
    ...{ root, rootless, warn, caller, host, files, patience, isShared },
    ...(body && { body }),
    ...(cgroupManager && { cgroupManager }),
    ...(debug && { debug }),
    ...settings,
  });
  other.helper = runtime.helper;
  other.trace = runtime.trace;
  if (settings.body) other.body = runtime.trace?.around(settings.body, "monitor") ?? settings.body;
  return other as R;
}
