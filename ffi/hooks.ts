/** Runs a hook by the same C code that init uses inside the container. */

import { POLLOUT } from "./poll.ts";
import { decodeBytes } from "../lib/base/bytes.ts";
import type { CallerLimit } from "../lib/base/caller_limits.ts";
import { quote } from "../lib/base/errors.ts";
import { EAGAIN } from "../lib/base/errno.ts";
import { check, cString, outside } from "./call.ts";
import type { Library } from "./library.ts";
import { Size } from "./symbols.ts";
import type { Waiter } from "./waiter.ts";

/** Of 4 KiB: no more than a pipe holds, for a process that was left behind may write for ever. */
const REST_MAX = 16;

/** A program to run (config.md, "POSIX-platform Hooks"). */
export interface HookProgram {
  /** Absolute. */
  readonly path: string;
  /** argv, with argv[0]. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** What it finds on its standard input. */
  readonly stdin: Uint8Array;
  /** 0: it may take for ever. */
  readonly timeoutSeconds: number;
  /** Its working directory, / if that cannot be entered; ours if missing. */
  readonly cwd?: string;
  /** Its standard output, 3 or more; where its standard error goes if missing. */
  readonly stdout?: number;
  /** Its standard error, 3 or more; ours if missing. */
  readonly stderr?: number;
  /** Resource limits that differ from ours. */
  readonly limits?: readonly CallerLimit[];
  /** Kills it; the call throws the signal's reason then. */
  readonly signal?: AbortSignal | undefined;
}

/** How it went. `errno` is not 0 when it could not be executed or waited for; nothing else holds then. */
export interface HookEnding {
  readonly code: number;
  readonly signal: number;
  readonly timedOut: boolean;
  readonly durationMs: number;
  /** The last 4 KiB of what it said that went to our standard error. */
  readonly stderr: string;
  readonly errno: number;
}

export interface HookCalls {
  /** Runs the program to its end; throws only when no process could be made. */
  runHook(program: HookProgram): Promise<HookEnding>;
}

export function hookCalls(library: Library, waiter: Waiter): HookCalls {
  return {
    async runHook(program) {
      const { path, args, env, stdin, timeoutSeconds, cwd = "", stdout = 0, stderr = 0 } = program;
      const hook = outside(Size.hook);
      const limits = limitNumbers(program.limits);
      const numbers = [args.length, env.length, stdin.length, timeoutSeconds, stdout, stderr];
      new Uint32Array(hook.buffer).set([...numbers, program.limits?.length ?? 0]);
      const words = join([path, cwd, ...args, ...env].map(cString));
      const input = outside(Math.max(1, stdin.length));
      input.set(stdin);
      const process = outside(Size.hookProcess);
      const result = outside(Size.hookResult);
      const begun = library.rts_hook_begin(hook, words, input, limits, process, result);
      check(begun, () => `run hook ${quote(path)}`);
      const deadline = timeoutSeconds ? performance.now() + timeoutSeconds * 1000 : Infinity;
      let ended = 0;
      try {
        await watch(library, waiter, process, result, deadline, program.signal);
      } catch (error) {
        library.rts_hook_kill(process, result);
        throw error;
      } finally {
        ended = library.rts_hook_end(process, result);
      }
      check(ended, () => `run hook ${quote(path)}`);
      return decode(result);
    },
  };
}

/** An array of struct hook_limit; never empty, so that it has an address. */
function limitNumbers(limits: readonly CallerLimit[] = []): BigUint64Array<ArrayBuffer> {
  const numbers = new BigUint64Array(new ArrayBuffer(24 * Math.max(1, limits.length)));
  limits.forEach(({ resource, soft, hard }, i) =>
    numbers.set([BigInt(resource), soft, hard], 3 * i)
  );
  return numbers;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Until the process has ended, or was ended because its time was up; passes on what it says. */
async function watch(
  library: Library,
  waiter: Waiter,
  process: Bytes,
  result: Bytes,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [, pidfd = -1, output = -1] = new Int32Array(process.buffer);
  const left = () => deadline === Infinity ? -1 : Math.max(0, deadline - performance.now());
  /** False when there is nothing more. */
  const passOn = async () => {
    const passed = library.rts_hook_pass_on(process, result);
    if (passed === -EAGAIN) await waiter.wait([2], { events: POLLOUT, timeoutMs: left() });
    return passed !== 0;
  };
  let more = true;
  for (let exited = pidfd < 0; !exited;) {
    const timeoutMs = left();
    const ready = await waiter.wait([pidfd, more ? output : -1], { timeoutMs, signal });
    exited = ready.includes(pidfd);
    if (timeoutMs === 0 && !exited) {
      if (library.rts_hook_kill(process, result) === 0) await waiter.wait([pidfd]);
      return;
    }
    if (ready.includes(output)) more = await passOn();
  }
  for (let count = 0; count < REST_MAX && left() !== 0 && await passOn(); count++);
}

/** struct hook_result of c/common/hook.h. */
function decode(result: Uint8Array<ArrayBuffer>): HookEnding {
  const view = new DataView(result.buffer);
  const signal = view.getInt32(8, true);
  const said = result.subarray(32, 32 + view.getUint32(24, true));
  return {
    code: signal === 0 ? view.getInt32(4, true) : 0,
    signal,
    timedOut: view.getInt32(12, true) !== 0,
    durationMs: Number(view.getBigUint64(16, true)) / 1e6,
    stderr: decodeBytes(said),
    errno: view.getInt32(0, true),
  };
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = outside(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
