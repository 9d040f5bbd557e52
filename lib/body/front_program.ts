/** Programs that a front runs for a warm brain: hooks and tools. */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import type { FileCalls } from "../../ffi/files.ts";
import type { HookEnding, HookProgram } from "../../ffi/hooks.ts";
import type { MonitorCalls } from "../../ffi/monitor.ts";
import { decodeBytes } from "../base/bytes.ts";
import { quote } from "../base/errors.ts";
import { O_RDONLY } from "../base/linux.ts";
import { encodeCommand, Operation } from "../wire/body.ts";
import type { Body, Child, ToolEnding } from "./body.ts";
import type { BodyConnection, Descriptors } from "./connection.ts";

/** What is needed of the helper library. */
export type FrontHelper =
  & Descriptors
  & Pick<FileCalls, "open" | "pipe" | "readAvailable">;

const STDERR = 2;
/** Of what a hook says, so much of the end is kept. */
const TAIL_MAX = 4096;
/** Bytes of one read, and how many such reads a pipe can hold at most. */
const CHUNK = 4096;
const REST_MAX = 16;

const DEFAULT_PATH = "/bin:/usr/bin";

/** What is needed of a front. */
export interface ProgramFront extends Pick<Body, "reap"> {
  readonly ask: BodyConnection["ask"];
  /** Aborted when it has gone. */
  readonly ended: AbortSignal;
  /** The lock that is held for it; the program finds it there. */
  readonly lock: number | undefined;
  /** Writes to a descriptor of the caller. */
  print(fd: number, bytes: Uint8Array): Promise<void>;
}

/** A front, and what this process does for it. */
interface Front {
  readonly helper: FrontHelper;
  readonly calls: Pick<MonitorCalls, "sealedFile">;
  readonly front: ProgramFront;
}

/** A program that runs, and where it can be read what it says. */
interface Running extends Child {
  readonly output: number;
}

/** Runs a hook as hookCalls (ffi/hooks.ts) does it, as a child of the front. */
export async function runFrontHook(
  { helper, calls, front }: Front,
  program: HookProgram,
): Promise<HookEnding> {
  const start = performance.now();
  const document = calls.sealedFile("hook-input", program.stdin);
  const [output, errors] = helper.pipe();
  let begun: Begun | undefined;
  try {
    const says = program.stderr ?? errors;
    begun = await begin({ helper, calls, front }, {
      ...program,
      input: ownDescriptor(document), // from its beginning
      streams: [program.stdout ?? says, says],
    });
    helper.close(errors);
    if (begun.errno !== 0) return ending(start, begun);
    const said = new Tail();
    const passOn = async () => {
      const bytes = helper.readAvailable(output, CHUNK);
      if (typeof bytes === "string") return bytes === "again";
      said.add(bytes);
      await front.print(STDERR, bytes).catch(() => {}); // whoever reads it has gone
      return true;
    };
    const inTime = await watch(helper, front, { ...begun, output }, program, start, passOn);
    for (let count = 0; count < REST_MAX; count++) {
      const ready = await helper.awaitFds([output], { timeoutMs: 0 });
      if (ready.length === 0 || !await passOn()) break;
    }
    const how = await front.reap(begun);
    return ending(start, { ...how, timedOut: !inTime, stderr: said.text() });
  } finally {
    if (begun === undefined) helper.close(errors);
    else if (begun.pidfd >= 0) helper.close(begun.pidfd);
    for (const fd of [output, document]) helper.close(fd);
  }
}

/** Runs a program of the caller's PATH as Deno.Command does it, as a child of the front. */
export async function runFrontTool(
  { helper, calls, front }: Front,
  env: readonly string[],
  tool: string,
  args: readonly string[],
): Promise<ToolEnding> {
  const [output, errors] = [helper.pipe(), helper.pipe()];
  let begun: Begun | undefined;
  try {
    begun = await beginTool({ helper, calls, front }, env, [tool, ...args], [output[1], errors[1]])
      .finally(() => {
        for (const fd of [output[1], errors[1]]) helper.close(fd);
      });
    const [stdout, stderr] = await Promise.all(
      [output[0], errors[0]].map((fd) => readAll(helper, front, fd)),
    );
    await helper.awaitFds([begun.pidfd], { signal: front.ended });
    const { code = 255, signal = 0 } = await front.reap(begun) ?? {};
    return { code: signal === 0 ? code : 128 + signal, stdout: stdout!, stderr: stderr! };
  } finally {
    if (begun !== undefined) helper.close(begun.pidfd);
    for (const fd of [output[0], errors[0]]) helper.close(fd);
  }
}

/** Starts it from where it is in PATH. */
async function beginTool(
  front: Front,
  env: readonly string[],
  args: readonly [tool: string, ...string[]],
  streams: readonly [stdout: number, stderr: number],
): Promise<Begun> {
  const [tool] = args;
  for (const path of placesOf(tool, env)) {
    const begun = await begin(front, { path, args, env, cwd: "/", input: "/dev/null", streams });
    if (begun.errno === 0) return begun;
  }
  throw new Deno.errors.NotFound(`${quote(tool)} is not in PATH`);
}

/** Where a program may be. */
function placesOf(tool: string, env: readonly string[]): string[] {
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length);
  return (path ?? DEFAULT_PATH).split(":").map((place) => `${place || "."}/${tool}`);
}

async function readAll(helper: FrontHelper, front: ProgramFront, fd: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    await helper.awaitFds([fd], { signal: front.ended });
    const bytes = helper.readAvailable(fd, CHUNK);
    if (bytes === "eof") return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    if (bytes !== "again") chunks.push(bytes);
  }
}

/** What a program is started with. */
interface Program extends Pick<HookProgram, "path" | "args" | "env" | "cwd"> {
  /** Path of what it reads, in this process. */
  readonly input: string;
  readonly streams: readonly [stdout: number, stderr: number];
}

/** A child of the front; or, with an error number, why there is none. */
interface Begun extends Child {
  readonly errno: number;
}

async function begin(
  { helper, calls, front }: Front,
  { path, args, env, cwd = "", input, streams }: Program,
): Promise<Begun> {
  const file = calls.sealedFile(
    "runts-program",
    encodeCommand({ path, args, env, directory: cwd }),
  );
  let stdin: number | undefined;
  try {
    stdin = helper.open(input, O_RDONLY);
    const { fields, fds: [pidfd = -1] } = await front.ask(`run ${quote(path)}`, {
      operation: Operation.program,
      fds: [file, stdin, ...streams, ...front.lock === undefined ? [] : [front.lock]],
    });
    return { pid: fields.getInt32(0, true), errno: fields.getInt32(4, true), pidfd };
  } finally {
    helper.close(file);
    if (stdin !== undefined) helper.close(stdin);
  }
}

/** Until it has ended, or was ended because its time was up: false. */
async function watch(
  helper: FrontHelper,
  front: ProgramFront,
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
    await killGroup(front, pid);
    throw error;
  }
  await killGroup(front, pid);
  await helper.awaitFds([pidfd], { signal: front.ended });
  return false;
}

async function killGroup(front: ProgramFront, pid: number): Promise<void> {
  try {
    await front.ask("end a program", { operation: Operation.kill, fields: [pid] });
  } catch {
    // it has ended, or the front has
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

function ending(
  start: number,
  { code = 0, signal = 0, timedOut = false, stderr = "", errno = 0 }: Partial<HookEnding>,
): HookEnding {
  return { code, signal, timedOut, stderr, errno, durationMs: performance.now() - start };
}
