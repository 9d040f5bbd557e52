/** The runts side of the conversation with init (lib/wire/messages.ts has the diagram). */

import type { Child, InitRequest, ProcessEnding, SpawnedInit } from "../body/body.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { EMFILE, EPIPE, ESRCH } from "../base/errno.ts";
import { errnoOf, RuntsError } from "../base/errors.ts";
import { whileWaiting } from "../base/time_limit.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { Op } from "../wire/ops.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import { readStat } from "../state/liveness.ts";
import { Message, type SyncRecord } from "../wire/messages.ts";
import { describeEnding } from "./how_it_ended.ts";

/** What to do when init asks. */
export interface Answers {
  /** init exists: its pid, as runts sees it. A second one replaces the first. */
  pid?(pid: number): void;
  cgroup?(pid: number): Promise<void>;
  maps?(pid: number): Promise<void> | void;
  namespaces?(pid: number): Promise<void>;
  /** All namespaces are there, and init is at work on the rest: for what can be done meanwhile. */
  goesOn?(pid: number): void;
  /** A listener's descriptor will appear in init under this number. */
  notify?(pidfd: number, fd: number): Promise<void>;
  warning?(record: SyncRecord): void;
  trace?(record: SyncRecord): Promise<void> | void;
  /** When nothing but the program's execution is left; for exec. */
  ready?(): Promise<void>;
}

/** What spawning needs beside the plan. */
export interface SpawnOptions extends InitRequest {
  readonly ops: readonly Op[];
  /** To tell an out-of-memory kill. */
  readonly cgroup?: CgroupRecord;
}

/** How long a process that said its last word may take to exit, in ms. */
const EXIT_TIMEOUT = 5_000;
/** How long one that is given up may take to tell of its clone, which wants reaping, in ms. */
const CLONE_TIMEOUT = 200;
/** In the place of a pidfd of a process that there is no more. */
const GONE = -1;

/** Stage 1, what it cloned, and the socket to them. */
export class InitProcess {
  readonly #runtime: LoadedRuntime;
  readonly #options: SpawnOptions;
  readonly #give: SpawnedInit["give"];
  /** Stage 1 first, init last. */
  readonly #processes: Child[];
  #socket: number;
  #lastStage = "start";

  private constructor(
    runtime: LoadedRuntime,
    options: SpawnOptions,
    { pid, pidfd, socket, give }: SpawnedInit,
  ) {
    this.#give = give;
    this.#runtime = runtime;
    this.#options = options;
    this.#processes = [{ pid, pidfd }];
    this.#socket = socket;
  }

  /** Starts it. */
  static async spawn(runtime: LoadedRuntime, options: SpawnOptions): Promise<InitProcess> {
    return new InitProcess(runtime, options, await runtime.body.spawn(options));
  }

  /** Pid of the newest process: init, once it has been cloned. */
  get pid(): number {
    return this.#newest.pid;
  }

  /** Its pidfd; the caller closes it after {@linkcode finish}. */
  get pidfd(): number {
    return this.#newest.pidfd;
  }

  get #newest(): Child {
    return this.#processes[this.#processes.length - 1]!;
  }

  /**
   * Answers init until it is `ready`; for exec, until it has executed the program. Throws the reason of a
   * signal that is aborted while init is at work.
   */
  async converse(
    answers: Answers,
    until: "ready" | "executed",
    signal?: AbortSignal,
  ): Promise<void> {
    let ready = false;
    for (;;) {
      const record = await this.#receive(signal);
      if (record === "eof") {
        if (ready && readStat(this.pid)?.executed !== false) return;
        throw await this.#death(until);
      }
      switch (record.type) {
        case Message.warning:
          answers.warning?.(record);
          break;
        case Message.trace:
          await answers.trace?.(record);
          break;
        case Message.failed:
          throw await this.#failure(record);
        case Message.ready:
          if (until === "ready") return;
          ready = true;
          this.#lastStage = "ready";
          await answers.ready?.();
          this.go();
          break;
        default:
          await this.#answer(record, answers);
      }
    }
  }

  async #receive(signal: AbortSignal | undefined): Promise<SyncRecord | "eof"> {
    try {
      return await this.#runtime.helper.receive(this.#socket, signal);
    } catch (error) {
      const stage = this.#lastStage;
      const cause = new Error(`init is still at work (last stage completed: ${stage})`);
      throw whileWaiting(error, { stage, cause });
    }
  }

  /** Lets init go on. */
  go(): void {
    try {
      this.#runtime.helper.sendGo(this.#socket);
    } catch (error) {
      if (errnoOf(error) !== EPIPE) throw error;
      // It is gone: the next record, or the end of file, says why.
    }
  }

  /** Hands over descriptors that were not there when it was started, by their slots. */
  give(slots: ReadonlyMap<number, number>): void {
    this.#give?.(slots);
  }

  /** Reaps the processes that only prepared the way, and closes the conversation. */
  async finish(): Promise<void> {
    const { helper, body } = this.#runtime;
    while (this.#processes.length > 1) {
      const stage = this.#processes.shift()!;
      if (!body.reapsByItself) await this.#bury(stage);
      else if (stage.pidfd !== GONE) helper.close(stage.pidfd);
    }
    this.#closeSocket();
  }

  /** Ends whatever was started; nothing stays behind. */
  async abort(): Promise<void> {
    if (this.#socket >= 0 && this.#processes.length === 1) await this.#learnOfClone();
    this.#closeSocket();
    for (const process of this.#processes.splice(0)) {
      try {
        this.#runtime.helper.sendSignal(process.pidfd, SIGKILL);
      } catch {
        // it has exited
      }
      await this.#bury(process).catch(() => {}); // whoever would have reaped it has gone
    }
  }

  async #answer(record: SyncRecord, answers: Answers): Promise<void> {
    switch (record.type) {
      case Message.pid:
        this.#adopt(Number(record.value));
        answers.pid?.(this.pid);
        return;
      case Message.cgroup:
        await answers.cgroup?.(this.pid);
        this.#lastStage = "cgroup";
        return this.go();
      case Message.maps:
        await answers.maps?.(this.pid);
        this.#lastStage = "maps";
        return this.go();
      case Message.namespaces:
        this.#lastStage = "namespaces";
        await answers.namespaces?.(this.pid);
        if (!this.#isTold(record)) this.go();
        answers.goesOn?.(this.pid);
        return;
      case Message.notify:
        this.go();
        return await answers.notify?.(this.pidfd, Number(record.value));
    }
    throw new RuntsError(`init sent a message of unknown type ${record.type}`);
  }

  /** Whether init has gone on already. */
  #isTold({ op }: SyncRecord): boolean {
    return this.#options.ops[op]?.op === "tell";
  }

  #adopt(pid: number): void {
    this.#processes.push({ pid, pidfd: this.#openPidfd(pid) });
  }

  /** GONE for a process that has ended, and that its parent, a monitor, has reaped. */
  #openPidfd(pid: number): number {
    try {
      return this.#runtime.helper.openPidfd(pid);
    } catch (error) {
      if (errnoOf(error) === ESRCH) return GONE;
      throw error;
    }
  }

  /** Stage 1 may just be cloning: killed before it tells, it would leave a child that nobody knows. */
  async #learnOfClone(): Promise<void> {
    const signal = AbortSignal.timeout(CLONE_TIMEOUT);
    try {
      for (;;) {
        const record = await this.#runtime.helper.receive(this.#socket, signal);
        if (record === "eof") return;
        if (record.type === Message.pid) return this.#adopt(Number(record.value));
      }
    } catch {
      // it does something else, and has not cloned
    }
  }

  async #bury(process: Child): Promise<void> {
    try {
      await this.#ending(process);
    } finally {
      if (process.pidfd !== GONE) this.#runtime.helper.close(process.pidfd);
    }
  }

  async #ending(process: Child): Promise<ProcessEnding | undefined> {
    const { helper } = this.#runtime;
    const exited = process.pidfd === GONE ||
      await helper.awaitExit(process.pidfd, { timeoutMs: EXIT_TIMEOUT });
    return exited ? await this.#runtime.body.reap(process) : undefined;
  }

  #closeSocket(): void {
    if (this.#socket < 0) return;
    this.#runtime.helper.close(this.#socket);
    this.#socket = -1;
  }

  async #failure(record: SyncRecord): Promise<RuntsError> {
    const { describeFailure } = await import("../plan/failure.ts");
    const { explainRefusal } = await import("../userns/policy.ts");
    const { ops } = this.#options;
    const error = explainRefusal(describeFailure(record, ops), record.op, ops);
    return record.op < 0 ? withLimitHint(error) : error;
  }

  /**
   * End-of-file without a record: a stage was killed. Each of them ends when another is gone, so
   * the signal is the cause, whichever it struck.
   */
  async #death(until: "ready" | "executed"): Promise<RuntsError> {
    if (this.pidfd !== GONE) await this.#runtime.helper.awaitExit(this.pidfd);
    const endings: (ProcessEnding | undefined)[] = [];
    for (const process of this.#processes) endings.push(await this.#ending(process));
    const ending = endings.find((one) => one !== undefined && one.signal !== 0) ?? endings.at(-1);
    const { cgroup, ops } = this.#options;
    const filtered = ops.some(({ op }) => op === "seccomp");
    const how = ending === undefined ? "it is gone" : describeEnding(ending, cgroup, filtered);
    const goal = until === "ready" ? "the container was ready" : "it executed the program";
    return new RuntsError(`init ended before ${goal}`, {
      stage: this.#lastStage,
      cause: new Error(`${how} (last stage completed: ${this.#lastStage})`),
    });
  }
}

/** Names the limit when it is that which kept init from being started. */
export function withLimitHint(error: RuntsError): RuntsError {
  if (errnoOf(error) !== EMFILE) return error;
  return error.with({ hint: "the caller's hard limit of open files is too low (ulimit -Hn)" });
}
