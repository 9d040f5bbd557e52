/** criu at work for one request: `criu swrk`, and the conversation with it. */

import { monitorCalls } from "../../ffi/monitor.ts";
import { EPIPE } from "../base/errno.ts";
import { errnoOf, RuntsError } from "../base/errors.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import type { StreamTargets } from "../caller/options.ts";
import { InitProcess } from "../init/conversation.ts";
import { spawnInit } from "../init/spawn.ts";
import { planHost } from "../host/facts.ts";
import { FIRST_GIVEN, planCriu, type RestoreInput } from "../plan/criu.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { type Decoded, decodeMessage, type Encodable, encodeMessage } from "../wire/protobuf.ts";
import { OPTIONS, REQUEST, RequestType, RESPONSE } from "./messages.ts";

/** Options of a request, in the words of lib/criu/messages.ts. */
export type CriuRequest = Encodable<typeof OPTIONS>;
type Response = Decoded<typeof RESPONSE>;

/** What criu is started with. */
interface WorkerOptions {
  /** Path of its executable; default `criu` of the PATH. */
  readonly criu?: string | undefined;
  readonly cgroup: CgroupRecord;
  readonly streams: StreamTargets;
  readonly restore?: RestoreInput;
  /** Moves criu into the cgroup, where it cannot go by itself. */
  readonly attach?: (pid: number) => Promise<void>;
  /** The socket for a terminal's master, where the body puts one in the place of -1. */
  readonly console?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What criu tells of, and waits for the end of. */
export interface Notified {
  /** `post-dump`, `setup-namespaces`, `orphan-pts-master`, … */
  readonly script: string;
  /** Of the process that it is about, if it is about one. */
  readonly pid: number;
  /** Closed afterwards. */
  readonly fds: readonly number[];
}

/** Where programs are looked for beside the caller's PATH, which may be empty. */
const FURTHER = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Older ones lack what is asked of criu here: 3.16, as MAJOR * 10000 + MINOR * 100. */
const OLDEST = 31_600;
/** How long criu may take to end once it has nothing more to do, in ms. */
const EXIT_TIMEOUT = 10_000;

/** The running executable. {@linkcode end} has to follow. */
export class Worker {
  readonly #runtime: LoadedRuntime;
  readonly #init: InitProcess;
  readonly #calls = monitorCalls();
  readonly #signal: AbortSignal | undefined;
  #socket: number;

  private constructor(
    runtime: LoadedRuntime,
    init: InitProcess,
    socket: number,
    signal: AbortSignal | undefined,
  ) {
    this.#runtime = runtime;
    this.#init = init;
    this.#socket = socket;
    this.#signal = signal;
  }

  /** Starts criu, and makes sure that it can do what it is asked. */
  static async start(runtime: LoadedRuntime, options: WorkerOptions): Promise<Worker> {
    const [ours, theirs] = monitorCalls().pair();
    let init: InitProcess | undefined;
    try {
      init = await spawn(runtime, options, theirs).finally(() => runtime.helper.close(theirs));
      const worker = new Worker(runtime, init, ours, options.signal);
      await worker.#begin(options);
      return worker;
    } catch (error) {
      runtime.helper.close(ours);
      await init?.abort();
      throw error;
    }
  }

  async #begin({ attach, signal }: WorkerOptions): Promise<void> {
    try {
      await this.#init.converse({ ...(attach && { cgroup: attach }) }, "executed", signal);
    } catch (cause) {
      if (signal?.aborted && cause === signal.reason) throw cause;
      throw new RuntsError("start criu", { cause });
    }
    await this.#checkVersion();
  }

  /** Of criu. */
  get pid(): number {
    return this.#init.pid;
  }

  /** A copy of the descriptor that it was given as number `index` after its end of the conversation. */
  fetchGiven(index: number): Promise<number> {
    const { pid, pidfd } = this.#init;
    return this.#runtime.body.fetchDescriptor({ pid, pidfd }, FIRST_GIVEN + 1 + index);
  }

  /** Whether it can do one or the other; a kernel may not let it. */
  async supports(feature: "trackMemory" | "lazyPages"): Promise<boolean> {
    const { features } = await this.#ask({
      type: RequestType.features,
      keepOpen: true,
      features: { [feature]: true },
    });
    return features?.[feature] === true;
  }

  /**
   * Carries out a request; what `notified` throws makes it fail. Gives the pid of what was restored, or 0.
   */
  async perform(
    type: number,
    options: CriuRequest,
    notified: (what: Notified) => Promise<void>,
  ): Promise<number> {
    this.#send({ type, options });
    for (;;) {
      const { response, fds } = await this.#receive();
      if (response.type !== RequestType.notify) {
        this.#closeAll(fds);
        if (!response.success) throw CriuFailure.of(response);
        return response.restored?.pid ?? 0;
      }
      const { script = "", pid = 0 } = response.notification ?? {};
      let failure: { error: unknown } | undefined;
      try {
        await notified({ script, pid, fds });
      } catch (error) {
        failure = { error };
      }
      this.#closeAll(fds);
      this.#send({ type: RequestType.notify, notifySuccess: failure === undefined });
      if (failure === undefined) continue;
      await this.#lastAnswer();
      throw failure.error;
    }
  }

  /** Waits until it has gone; it may have to be told to. */
  async end(): Promise<void> {
    if (this.#socket < 0) return;
    this.#runtime.helper.close(this.#socket);
    this.#socket = -1;
    const gone = await this.#runtime.helper.awaitExit(this.#init.pidfd, {
      timeoutMs: EXIT_TIMEOUT,
    });
    if (!gone) return await this.#init.abort();
    const { pid, pidfd } = this.#init;
    await this.#init.finish();
    await this.#runtime.body.reap({ pid, pidfd });
    this.#runtime.helper.close(pidfd);
  }

  async #checkVersion(): Promise<void> {
    const { version } = await this.#ask({ type: RequestType.version, keepOpen: true });
    const { major = 0, minor = 0, sub = 0 } = version ?? {};
    if (major * 10_000 + minor * 100 + sub >= OLDEST) return;
    throw new RuntsError(`criu is of version ${major}.${minor}`, {
      hint: "it must be 3.16 or newer",
    });
  }

  /** A request that criu answers at once. */
  async #ask(request: Encodable<typeof REQUEST>): Promise<Response> {
    this.#send(request);
    const { response, fds } = await this.#receive();
    this.#closeAll(fds);
    if (!response.success) throw CriuFailure.of(response);
    return response;
  }

  async #lastAnswer(): Promise<void> {
    try {
      this.#closeAll((await this.#receive()).fds);
    } catch {
      // it has ended instead
    }
  }

  #send(request: Encodable<typeof REQUEST>): void {
    const bytes = encodeMessage(REQUEST, request);
    try {
      if (this.#calls.send(this.#socket, { bytes, fds: [] })) return;
    } catch (cause) {
      if (errnoOf(cause) === EPIPE) return; // it has ended: its last words say more
      throw new RuntsError("talk to criu", { cause });
    }
    throw new RuntsError("talk to criu: it does not listen");
  }

  async #receive(): Promise<{ response: Response; fds: readonly number[] }> {
    const { helper } = this.#runtime;
    for (;;) {
      this.#signal?.throwIfAborted();
      const packet = this.#calls.receive(this.#socket);
      if (packet === "eof") throw new CriuFailure("criu ended without an answer");
      if (packet !== "again") {
        return { response: decodeMessage(RESPONSE, packet.bytes), fds: packet.fds };
      }
      await helper.awaitFds([this.#socket], this.#signal ? { signal: this.#signal } : {});
    }
  }

  #closeAll(fds: readonly number[]): void {
    for (const fd of fds) this.#runtime.helper.close(fd);
  }
}

/** An answer that says no, or none at all: criu's log may tell more. */
export class CriuFailure extends RuntsError {
  static of({ errno, message }: Response): CriuFailure {
    const data = { ...(message && { cause: message }), ...(errno && { errno }) };
    return new CriuFailure("criu failed", data);
  }
}

function spawn(
  runtime: LoadedRuntime,
  options: WorkerOptions,
  socket: number,
): Promise<InitProcess> {
  const { caller } = runtime;
  const { criu = "criu", console, restore } = options;
  const path = caller.variable("PATH");
  const search = path === undefined ? FURTHER : `${path}:${FURTHER}`;
  const plan = planCriu({
    host: planHost(runtime, options.cgroup),
    program: criu,
    search,
    env: [...caller.environment().filter((entry) => !entry.startsWith("PATH=")), `PATH=${search}`],
    given: ["conversation", ...(console === undefined ? [] : ["console"])],
    ...(restore && { restore }),
  });
  return spawnInit(runtime, {
    plan,
    own: { given: { conversation: socket, ...(console !== undefined && { console }) } },
    streams: options.streams,
    preserve: 0,
  });
}
