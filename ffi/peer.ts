/** Who is at the other end of a socket: what few commands need of the helper library. */

import { check, ints } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/peer.h states it. */
export const PEER_SYMBOLS = {
  // int32_t rts_peer(int32_t socket, int32_t *peer);
  rts_peer: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The process that has connected, as it was then. */
export interface Peer {
  readonly pid: number;
  /** Effective ids. */
  readonly uid: number;
  readonly gid: number;
  /** The receiver's to close. */
  readonly pidfd: number;
}

/** The helper must have been loaded. ENOPROTOOPT before Linux 6.5. */
export function peerOf(socket: number): Peer {
  const functions = furtherFunctions(PEER_SYMBOLS);
  const peer = ints([0, 0, 0, -1]);
  check(functions.rts_peer(socket, peer), "ask who has connected");
  return { pid: peer[0]!, uid: peer[1]! >>> 0, gid: peer[2]! >>> 0, pidfd: peer[3]! };
}
