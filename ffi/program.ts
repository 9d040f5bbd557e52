/** Programs that stand for their caller, in namespaces of their own. */

import { quote, RuntsError } from "../lib/base/errors.ts";
import { check, cString, fromCString, ints, outside } from "./call.ts";
import type { Helper } from "./helper.ts";
import { furtherFunctions } from "./library.ts";
import type { ProcessEnding } from "./process.ts";

/** Each with its C prototype, as c/helper/program.h states it. */
export const PROGRAM_SYMBOLS = {
  // int32_t rts_program_begin(const char *words, uint32_t args, uint32_t env, uint32_t flags, int32_t view, int32_t *made);
  rts_program_begin: {
    parameters: ["buffer", "u32", "u32", "u32", "i32", "buffer"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** enum of c/helper/program.h. */
export const ProgramFlag = { users: 1, mounts: 2, view: 4 } as const;

/** A program that inherits the standard streams and the working directory of this process. */
export interface Program {
  /** The executable; it is looked for nowhere. */
  readonly path: string;
  readonly args: readonly string[];
  /** Exactly its environment, `NAME=VALUE` each. */
  readonly env: readonly string[];
  /** It has a mount namespace of its own. */
  readonly mounts?: boolean;
  /** A mount that is nowhere else, and where it is to be in that namespace. */
  readonly view?: { readonly fd: number; readonly place: string };
  /** It is root of a user namespace of its own; this writes the maps of the process. */
  readonly mapUsers?: (pid: number) => Promise<void>;
}

const REPORT_SIZE = 32;

/**
 * Runs a program to its end. Throws RuntsError when it could not be executed. It is killed when the
 * signal is aborted, and when this process ends.
 */
export async function runProgram(
  helper: Pick<
    Helper,
    "awaitExit" | "awaitFds" | "close" | "read" | "reap" | "sendSignal" | "write"
  >,
  program: Program,
  signal?: AbortSignal,
): Promise<ProcessEnding> {
  signal?.throwIfAborted();
  const { pid, pidfd, go, report } = begin(program);
  using open = new DisposableStack();
  for (const fd of [pidfd, report]) open.defer(() => helper.close(fd));
  const kill = () => helper.sendSignal(pidfd, SIGKILL);
  signal?.addEventListener("abort", kill);
  let failure: unknown;
  try {
    await letGo(helper, program, pid, go);
    await helper.awaitFds([report]);
    failure = failureOf(helper, program, report);
  } catch (error) {
    failure = error;
    kill();
  }
  await helper.awaitExit(pidfd);
  signal?.removeEventListener("abort", kill);
  const ending = helper.reap(pidfd);
  signal?.throwIfAborted();
  if (failure !== undefined) throw failure;
  if (ending !== undefined) return ending;
  throw new RuntsError(`run ${quote(program.path)}`, { cause: new Error("its end is not known") });
}

const SIGKILL = 9;

function begin(
  { path, args, env, mounts, view, mapUsers }: Program,
): { pid: number; pidfd: number; go: number; report: number } {
  const words = [path, ...args, ...env, view?.place ?? ""].map(cString);
  const bytes = outside(words.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const word of words) {
    bytes.set(word, at);
    at += word.length;
  }
  const flags = (mounts ? ProgramFlag.mounts : 0) | (mapUsers ? ProgramFlag.users : 0) |
    (view ? ProgramFlag.view : 0);
  const made = ints([0, 0, 0, 0]);
  const functions = furtherFunctions(PROGRAM_SYMBOLS);
  const { fd = -1 } = view ?? {};
  const result = functions.rts_program_begin(bytes, args.length, env.length, flags, fd, made);
  check(result, () => `run ${quote(path)}`);
  return { pid: made[0]!, pidfd: made[1]!, go: made[2]!, report: made[3]! };
}

async function letGo(
  { write, close }: Pick<Helper, "write" | "close">,
  { mapUsers }: Program,
  pid: number,
  go: number,
): Promise<void> {
  try {
    await mapUsers?.(pid);
    write(go, new Uint8Array(1));
  } finally {
    close(go);
  }
}

/** What the process could not do; undefined once it has become the program. */
function failureOf(
  { read }: Pick<Helper, "read">,
  { path }: Program,
  report: number,
): RuntsError | undefined {
  const bytes = outside(REPORT_SIZE);
  if (read(report, bytes) < REPORT_SIZE) return undefined;
  const errno = new DataView(bytes.buffer).getInt32(0, true);
  const call = fromCString(bytes.subarray(4));
  return new RuntsError(call === "execute" ? `execute ${quote(path)}` : call, { errno });
}
