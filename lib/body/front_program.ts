/** Programs that a front runs for a warm brain: hooks and tools. */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import type { FileCalls } from "../../ffi/files.ts";
import type { HookEnding, HookProgram } from "../../ffi/hooks.ts";
import type { MonitorCalls } from "../../ffi/monitor.ts";
import type { SocketCalls } from "../../ffi/sockets.ts";
import { decodeBytes } from "../base/bytes.ts";
import { quote } from "../base/errors.ts";
import { O_RDONLY } from "../base/linux.ts";
import { encodeCommand, Operation } from "../wire/body.ts";
import type { ToolEnding } from "./body.ts";
import type { FrontBody } from "./front.ts";

/** What is needed of the helper library. */
export type FrontHelper =
  & Pick<FileCalls, "open" | "close" | "awaitFds" | "pipe" | "readAvailable">
  & Pick<SocketCalls, "sendDatagram">;

const STDERR = 2;
/** Of what a hook says, so much of the end is kept. */
const TAIL_MAX = 4096;
/** Bytes of one read, and how many such reads a pipe can hold at most. */
const CHUNK = 4096;
const REST_MAX = 16;

/** A program that runs, and what it says. */
interface Running {
  readonly pid: number;
  readonly pidfd: number;
  readonly output: number;
}

/** Runs a hook as hookCalls (ffi/hooks.ts) does it, as a child of the front. */
export async function runFrontHook(
  helper: FrontHelper,
  calls: Pick<MonitorCalls, "sealedFile">,
  front: FrontBody,
  program: HookProgram,
): Promise<HookEnding> {
  const start = performance.now();
  const begun = await begin(helper, calls, front, program);
  if (typeof begun === "number") return ending(start, { errno: begun });
  const said = new Tail();
  const passOn = async () => {
    const bytes = helper.readAvailable(begun.output, CHUNK);
    if (typeof bytes === "string") return bytes === "again";
    said.add(bytes);
    await front.print(STDERR, bytes).catch(() => {}); // whoever reads it has gone
    return true;
  };
  try {
    const inTime = await watch(helper, front, begun, program, start, passOn);
    for (let count = 0; count < REST_MAX; count++) {
      const ready = await helper.awaitFds([begun.output], { timeoutMs: 0 });
      if (ready.length === 0 || !await passOn()) break;
    }
    const how = await front.reap(begun);
    return ending(start, { ...how, timedOut: !inTime, stderr: said.text() });
  } finally {
    helper.close(begun.pidfd);
    helper.close(begun.output);
  }
}

/** Runs a tool. */
export function runFrontTool(): Promise<ToolEnding> {
  return Promise.reject(new Deno.errors.NotSupported());
}

/** An error number where it could not be executed. */
async function begin(
  helper: FrontHelper,
  calls: Pick<MonitorCalls, "sealedFile">,
  front: FrontBody,
  { path, args, env, cwd = "", stdin, stdout, stderr }: HookProgram,
): Promise<Running | number> {
  const opened: number[] = [];
  const keep = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  const [output, errors] = helper.pipe();
  keep(errors);
  try {
    const command = encodeCommand({ path, args, env, directory: cwd });
    const file = keep(calls.sealedFile("runts-hook", command));
    const document = keep(calls.sealedFile("hook-input", stdin));
    const input = keep(helper.open(ownDescriptor(document), O_RDONLY)); // from its beginning
    const says = stderr ?? errors;
    const { fields, fds: [pidfd] } = await front.ask(`run hook ${quote(path)}`, {
      operation: Operation.program,
      fds: [file, input, stdout ?? says, says],
    });
    const error = fields.getInt32(4, true);
    if (error === 0) return { pid: fields.getInt32(0, true), pidfd: pidfd!, output };
    helper.close(output);
    return error;
  } catch (error) {
    helper.close(output);
    throw error;
  } finally {
    for (const fd of opened) helper.close(fd);
  }
}

/** Until it has ended, or was ended because its time was up: false. */
async function watch(
  helper: FrontHelper,
  front: FrontBody,
  { pid, pidfd, output }: Running,
  { timeoutSeconds, signal }: HookProgram,
  start: number,
  passOn: () => Promise<boolean>,
): Promise<boolean> {
  const signals = signal === undefined ? front.ended : AbortSignal.any([signal, front.ended]);
  const deadline = timeoutSeconds > 0 ? start + timeoutSeconds * 1000 : Infinity;
  let more = true;
  try {
    for (;;) {
      const left = deadline === Infinity ? -1 : Math.max(0, deadline - performance.now());
      const fds = [pidfd, more ? output : -1];
      const ready = await helper.awaitFds(fds, { timeoutMs: left, signal: signals });
      if (ready.includes(pidfd)) return true;
      if (left === 0) break;
      if (ready.includes(output)) more = await passOn();
    }
  } catch (error) {
    killGroup(pid);
    throw error;
  }
  killGroup(pid);
  await helper.awaitFds([pidfd], { signal: front.ended });
  return false;
}

/** It may have left its group. */
function killGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      Deno.kill(target, "SIGKILL");
    } catch {
      // it has ended
    }
  }
}

/** The last of what was said. */
class Tail {
  #bytes = new Uint8Array();

  add(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    this.#bytes = all.slice(-TAIL_MAX);
  }

  text(): string {
    return decodeBytes(this.#bytes);
  }
}

function ending(start: number, known: Partial<HookEnding>): HookEnding {
  return {
    code: 0,
    signal: 0,
    timedOut: false,
    stderr: "",
    errno: 0,
    ...known,
    durationMs: performance.now() - start,
  };
}
