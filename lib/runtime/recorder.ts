/** Takes note of what a runtime does. Loaded only where somebody asks. */

import { reason } from "../base/errors.ts";
import { readFile } from "../base/files.ts";
import type { Participant, Trace, TraceSpan } from "../base/trace.ts";
import type { Runtime } from "./runtime.ts";

/** What calls of a body are named where their own names say too little. */
const CALLS: Readonly<Record<string, string>> = {
  spawn: "start init",
  adoptOrphans: "become the parent of orphans",
  beginForeground: "keep signals for the program",
  isInheritable: "look at a descriptor",
  open: "open a file",
  reap: "take the end of a process",
  awaitEnd: "wait for the end of the program",
  runHook: "run a hook",
  runTool: "run a tool",
};

/** All that was noted. */
export class Recorder implements Trace {
  readonly spans: TraceSpan[] = [];
  /** Calls of bodies that are under way. */
  readonly #calls = new Set<string>();

  /** Everything that the runtime does from now on is noted. */
  static attach(runtime: Runtime): Recorder {
    const recorder = new Recorder();
    runtime.trace = recorder;
    // Whoever has given it one is another process.
    if (runtime.body !== undefined) runtime.body = recorder.around(runtime.body, "front");
    return recorder;
  }

  /** The time in µs since 1970; it never goes back. */
  static now(): number {
    return (performance.timeOrigin + performance.now()) * 1000;
  }

  add(span: TraceSpan): void {
    this.spans.push(span);
  }

  timed<T>(what: string, body: () => T, who: Participant = "brain"): T {
    const begin = Recorder.now();
    const note = (failure?: { readonly error: unknown }) =>
      this.add({
        ...{ who, what, begin, end: Recorder.now() },
        ...(failure && { failed: reason(failure.error) }),
      });
    return settled(body, note);
  }

  around<T extends object>(object: T, who: Participant): T {
    return new Proxy(object, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function" || typeof key !== "string") return value;
        const what = CALLS[key] ?? key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
        return (...args: unknown[]) => {
          const call = () => value.apply(target, args);
          // One body may hand a call on to another.
          if (this.#calls.has(key)) return call();
          this.#calls.add(key);
          const body = () => settled(call, () => this.#calls.delete(key));
          return this.timed(what, body, key === "runHook" ? "hook" : who);
        };
      },
    });
  }

  /**
   * Notes what came before the first script: the front and Deno. When the process began is told by the time that its
   * first thread has spent on a processor and waiting for one (/proc/PID/schedstat), which waits for files are no part of.
   *
   * @param proc directory of /proc of this process
   */
  addStart(proc: string): void {
    const now = Recorder.now();
    const [run = 0, wait = 0] = (readFile(`${proc}/schedstat`) ?? "").split(" ").map(Number);
    const begin = now - (run + wait) / 1000;
    const origin = Math.max(begin, performance.timeOrigin * 1000);
    this.add({ who: "start", what: "start of the process, front and Deno", begin, end: origin });
    this.add({ who: "start", what: "load the command", begin: origin, end: now });
  }
}

/** Does something, now or later; `then` is told when that has ended, and why if it has failed. */
function settled<T>(
  body: () => T,
  then: (failure?: { readonly error: unknown }) => void,
): T {
  let result: T;
  try {
    result = body();
  } catch (error) {
    then({ error });
    throw error;
  }
  if (!(result instanceof Promise)) {
    then();
    return result;
  }
  return result.then((value: unknown) => {
    then();
    return value;
  }, (error: unknown) => {
    then({ error });
    throw error;
  }) as T;
}
