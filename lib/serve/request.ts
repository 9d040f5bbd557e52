/** One command that a front has brought: from its greeting to its exit code. */

import type { Helper } from "../../ffi/helper.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import type { Packet } from "../../ffi/monitor.ts";
import { type Peer, peerOf, processFacts } from "../../ffi/peer.ts";
import { EPIPE } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import { FrontBody, type FrontCalls } from "../body/front.ts";
import { wordsOf } from "../cli/dispatch.ts";
import type { Setting } from "../cli/types.ts";
import { decodeReply, Operation } from "../wire/body.ts";
import { type Called, decodeCalled, decodeGreeting, type Greeting } from "../wire/front.ts";
import { difference, type Facts, factsOf, lineOf } from "./admission.ts";
import { frontFiles, type Reading } from "./files.ts";
import { directoryOf, FrontCaller } from "./front_caller.ts";
import type { Hosts } from "./hosts.ts";
import { acceptProven } from "./proof.ts";
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

/** What carries a command out. */
export interface Prepared {
  readonly run: (setting: Setting) => Promise<number>;
  /** The command line of what is left to do once its program has ended. */
  readonly afterwards?: readonly string[];
  /** It may be ended at any time, and begun anew without a brain. */
  readonly beginsAnew?: true;
  /** It stays until the brain is to end, as its signal tells. */
  readonly stays?: true;
}

/**
 * Looks at a command line, with the words that a link stands for; gives what carries it out, or undefined
 * where only Deno of its own can.
 */
export type Prepare = (
  words: readonly string[],
  caller: FrontCaller,
  status: () => BrainStatus,
) => Promise<Prepared | undefined>;

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
  readonly reading: Reading;
  readonly hosts: Hosts;
  /** Whether there is another command. */
  readonly isShared: () => boolean;
  /** Aborted when the brain is to end. */
  readonly ending: AbortSignal;
  /** Told of a front of another build. */
  readonly otherBuild: () => void;
}

/** How long a front that has connected may take to say what it wants, in ms. */
const GREET_TIMEOUT = 1_000;

/** What came of a request. */
type Outcome = "done" | "cold" | "gone";

/**
 * Carries a command out; the socket is closed by then.
 *
 * @param letGo told when this process is not needed for the rest
 */
export async function serveRequest(
  shared: Shared,
  socket: number,
  letGo: () => void,
): Promise<Outcome> {
  const { helper, calls } = shared;
  const asked = await greeting(shared, socket).catch(() => undefined);
  if (asked === undefined) {
    helper.close(socket);
    return "gone";
  }
  using front = new FrontBody(helper, calls, socket, asked.called.env);
  let peer: Peer | undefined;
  try {
    peer = peerOf(socket);
    // It says go while we look at what it wants.
    const isOwn = asked.greeting.frontId === shared.frontId;
    const accepted = peer.isCertain && isOwn ? front.accept() : undefined;
    accepted?.catch(() => {}); // heard of below
    const admitted = await admit(shared, peer, asked, front.ended);
    await accepted;
    if (admitted === undefined) {
      await front.refuse();
      return "cold";
    }
    if (accepted === undefined && !await acceptProven(helper, calls, socket, peer)) return "gone";
    front.watch();
    if (admitted.beginsAnew) {
      letGo();
      shared.ending.addEventListener("abort", () => front.refuse(), { signal: front.ended });
    }
    // What the container says until it is ready is passed on here.
    if (admitted.caller.variable("NOTIFY_SOCKET") === undefined) front.alone.then(letGo);
    await front.end(await carryOut(shared, front, admitted));
    return "done";
  } catch (error) {
    if (front.ended.aborted || peer === undefined || errnoOf(error) === EPIPE) return "gone";
    throw error;
  } finally {
    if (peer !== undefined) helper.close(peer.pidfd);
  }
}

async function carryOut(
  { helper, reading, hosts, isShared, ending }: Shared,
  front: FrontBody,
  { caller, cgroups, run, afterwards, stays }: Admitted,
): Promise<number> {
  if (afterwards !== undefined) {
    const args = ["runts", ...afterwards];
    const env = caller.environment();
    front.afterwards = { path: "", args, env, directory: "" };
  }
  const output = new FrontText(front);
  const files = frontFiles(helper, front, reading);
  const code = await run({
    output,
    signal: stays ? AbortSignal.any([front.ended, ending]) : front.ended,
    runtime: () => ({ caller, files, body: front, host: hosts.of(caller, cgroups), isShared }),
  });
  await output.flush().catch(() => {}); // what went to the standard error, too
  return code;
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

/** A caller who is as powerful as the brain, and what carries out its command. */
interface Admitted extends Prepared {
  readonly caller: FrontCaller;
  /** /proc/PID/cgroup */
  readonly cgroups: string;
}

/** Undefined where it is to run cold. */
async function admit(
  { helper, facts, frontId, otherBuild, prepare, status }: Shared,
  { pid, uid, gid, pidfd }: Peer,
  { greeting, called }: { greeting: Greeting; called: Called },
  ended: AbortSignal,
): Promise<Admitted | undefined> {
  if (greeting.frontId !== frontId) {
    otherBuild();
    return undefined;
  }
  const seen = processFacts(pid);
  if (seen === undefined || difference(facts, factsOf(seen)) !== undefined) return undefined;
  const directory = directoryOf(seen.directory);
  // What was read was of the peer as long as that lives.
  const hasEnded = () => ended.aborted || helper.exited(pidfd);
  if (hasEnded() || directory === undefined) return undefined;
  const umask = parseInt(lineOf(seen.status, "Umask") ?? "", 8);
  if (Number.isNaN(umask)) return undefined;
  const { args: [calledAs = "", ...args], env } = called;
  const caller = new FrontCaller({ pid, uid, gid, umask, directory, env, hasEnded });
  const prepared = await prepare(wordsOf(args, calledAs), caller, status);
  return prepared && { caller, cgroups: seen.cgroups, ...prepared };
}
