/** One command that a front has brought: from its greeting to its exit code. */

import type { Helper } from "../../ffi/helper.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import type { Packet } from "../../ffi/monitor.ts";
import { type Peer, peerOf } from "../../ffi/peer.ts";
import { FrontBody, type FrontCalls } from "../body/front.ts";
import type { Setting } from "../cli/types.ts";
import { decodeReply, Operation } from "../wire/body.ts";
import { type Called, decodeCalled, decodeGreeting, type Greeting } from "../wire/front.ts";
import { difference, type Facts, factsOf, readStatus } from "./admission.ts";
import { frontFiles } from "./files.ts";
import { directoryOf, FrontCaller } from "./front_caller.ts";
import { FrontText } from "./text.ts";

/** What a brain has done so far, and what it is. */
export interface BrainStatus {
  readonly pid: number;
  readonly since: Date;
  /** Commands that it has carried out, that it has sent away to run cold, and that are under way. */
  readonly done: number;
  readonly cold: number;
  readonly atWork: number;
  /** Resident, in bytes. */
  readonly memory: number;
  /** The digits of its build. */
  readonly frontId: string;
}

/**
 * Looks at a command line, all of argv behind the program's name; gives what carries it out, or undefined
 * where only Deno of its own can.
 */
export type Prepare = (
  words: readonly string[],
  caller: FrontCaller,
  status: () => BrainStatus,
) => Promise<((setting: Setting) => Promise<number>) | undefined>;

/** What all commands of a brain share. */
export interface Shared {
  readonly helper: Helper;
  readonly calls: FrontCalls;
  /** What the brain itself is. */
  readonly facts: Facts;
  /** The digits of its build. */
  readonly frontId: string;
  readonly prepare: Prepare;
  readonly status: () => BrainStatus;
}

/** How long a front that has connected may take to say what it wants, in ms. */
const GREET_TIMEOUT = 1_000;

/** What came of a request. */
type Outcome = "done" | "cold" | "gone";

/** Carries a command out; the socket is closed by then. */
export async function serveRequest(shared: Shared, socket: number): Promise<Outcome> {
  const { helper, calls } = shared;
  let greeted: Awaited<ReturnType<typeof greeting>>;
  try {
    greeted = await greeting(shared, socket);
  } finally {
    if (greeted === undefined) helper.close(socket);
  }
  if (greeted === undefined) return "gone";
  using front = new FrontBody(helper, calls, socket, greeted.called.env);
  const admitted = await admit(shared, socket, greeted);
  if (admitted === undefined) {
    await front.refuse();
    return "cold";
  }
  const { caller, run } = admitted;
  await front.accept();
  const output = new FrontText(front);
  const files = frontFiles(helper, front);
  const code = await run({
    output,
    signal: front.ended,
    runtime: () => ({ caller, files, body: front }),
  });
  await output.flush().catch(() => {}); // what went to the standard error, too
  await front.end(code);
  return "done";
}

/** What the front was called with; undefined for whoever says nothing, or something else. */
async function greeting(
  { helper, calls }: Shared,
  socket: number,
): Promise<{ greeting: Greeting; called: Called } | undefined> {
  let packet: Packet | "again" | "eof" = calls.receive(socket);
  if (packet === "again") {
    await helper.awaitFds([socket], { timeoutMs: GREET_TIMEOUT });
    packet = calls.receive(socket);
  }
  if (packet === "again" || packet === "eof") return undefined;
  const { bytes, fds: [file, ...others] } = packet;
  try {
    const first = decodeReply(bytes);
    const greeting = first?.operation === Operation.greet
      ? decodeGreeting(first.fields)
      : undefined;
    if (greeting === undefined) return undefined;
    const texts = file === undefined ? greeting.texts : await Deno.readFile(ownDescriptor(file));
    const called = decodeCalled(greeting.counts, texts);
    return called && { greeting, called };
  } finally {
    for (const fd of file === undefined ? others : [file, ...others]) helper.close(fd);
  }
}

/** Undefined where it is to run cold. */
async function admit(
  shared: Shared,
  socket: number,
  { greeting, called }: { greeting: Greeting; called: Called },
): Promise<{ caller: FrontCaller; run: (setting: Setting) => Promise<number> } | undefined> {
  const { helper, frontId, prepare } = shared;
  if (greeting.frontId !== frontId) return undefined;
  let peer: Peer;
  try {
    peer = peerOf(socket);
  } catch {
    return undefined; // it is gone, or the kernel cannot tell who it is
  }
  try {
    const proc = `/proc/${peer.pid}`;
    const status = readStatus(proc);
    if (difference(shared.facts, factsOf(proc, status)) !== undefined) return undefined;
    const directory = directoryOf(proc);
    // What was read was of the peer as long as that lives.
    if (helper.exited(peer.pidfd) || directory === undefined) return undefined;
    const umask = parseInt(status.get("Umask") ?? "", 8);
    if (Number.isNaN(umask)) return undefined;
    const { pid, uid, gid } = peer;
    const caller = new FrontCaller({ pid, uid, gid, umask, directory, env: called.env });
    const run = await prepare(called.args.slice(1), caller, shared.status);
    return run && { caller, run };
  } finally {
    helper.close(peer.pidfd);
  }
}
