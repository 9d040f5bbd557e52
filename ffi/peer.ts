/** Who is at the other end of a socket: what few commands need of the helper library. */

import { decodeBytes } from "../lib/base/bytes.ts";
import { check, ints, outside } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/peer.h states it. */
export const PEER_SYMBOLS = {
  // int32_t rts_peer(int32_t socket, int32_t *peer);
  rts_peer: { parameters: ["i32", "buffer"], result: "i32" },
  // int32_t rts_hear_senders(int32_t socket, int32_t on);
  rts_hear_senders: { parameters: ["i32", "i32"], result: "i32" },
  // int32_t rts_receive_sent(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *sender);
  rts_receive_sent: { parameters: ["i32", "buffer", "u32", "buffer"], result: "i32" },
  // int32_t rts_process(int32_t pid, uint8_t *texts, uint32_t size);
  rts_process: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The process that has connected, as it was then. */
export interface Peer {
  readonly pid: number;
  /** Effective ids. */
  readonly uid: number;
  readonly gid: number;
  /** The receiver's to close. */
  readonly pidfd: number;
  /** Whether the pidfd is of whoever has connected: before Linux 6.5 the pid may have come to mean another process. */
  readonly isCertain: boolean;
}

/** The helper must have been loaded. */
export function peerOf(socket: number): Peer {
  const functions = furtherFunctions(PEER_SYMBOLS);
  const peer = ints([0, 0, 0, -1, 0]);
  check(functions.rts_peer(socket, peer), "ask who has connected");
  const [pid = 0, uid = 0, gid = 0, pidfd = -1, isCertain] = peer;
  return { pid, uid: uid >>> 0, gid: gid >>> 0, pidfd, isCertain: isCertain === 1 };
}

/** From now on, or no longer, the kernel says of each message of a socket who has sent it. */
export function hearSenders(socket: number, on: boolean): void {
  const functions = furtherFunctions(PEER_SYMBOLS);
  check(functions.rts_hear_senders(socket, on ? 1 : 0), "learn who sends");
}

/** A packet whose sender is known. */
interface Sent {
  readonly bytes: Uint8Array;
  /** 0 for nobody that has a pid here. */
  readonly pid: number;
}

/** A packet of no more than `size` bytes that is there, without the descriptors that came with it. */
export function receiveSent(socket: number, size: number): Sent {
  const functions = furtherFunctions(PEER_SYMBOLS);
  const [bytes, sender] = [outside(size), ints([0])];
  const length = check(
    functions.rts_receive_sent(socket, bytes, size, sender),
    "receive a packet",
  );
  return { bytes: bytes.slice(0, length), pid: sender[0]! };
}

/** What is told of a process takes less. */
const TEXTS_MAX = 64 * 1024;

/** What a process is; a text is empty where it cannot be told. */
export interface ProcessFacts {
  /** Where its root directory is, and which it is. */
  readonly rootPath: string;
  readonly root: string;
  readonly label: string;
  /** Which they are: cgroup, ipc, mnt, net, pid, pid_for_children, time, time_for_children, user, uts. */
  readonly namespaces: readonly string[];
  /** Its working directory as the kernel names it. */
  readonly directory: string;
  /** /proc/PID/cgroup */
  readonly cgroups: string;
  /** /proc/PID/status */
  readonly status: string;
}

let room: Uint8Array<ArrayBuffer> | undefined;

/** Looks at a process, if it is there. The helper must have been loaded. */
export function processFacts(pid: number): ProcessFacts | undefined {
  const { rts_process } = furtherFunctions(PEER_SYMBOLS);
  room ??= outside(TEXTS_MAX);
  const length = rts_process(pid, room, TEXTS_MAX);
  if (length < 0) return undefined;
  const texts = decodeBytes(room.subarray(0, length)).split("\0");
  const [rootPath = "", root = "", label = ""] = texts;
  const [directory = "", cgroups = "", status = ""] = texts.slice(-4);
  return { rootPath, root, label, namespaces: texts.slice(3, -4), directory, cgroups, status };
}
