/**
 * Before Linux 6.5 a socket tells the pid alone of who has connected, and that may be another process by
 * now. What is said back after the process was looked at is from a process that has that pid since.
 */

import type { Helper } from "../../ffi/helper.ts";
import { hearSenders, type Peer, receiveSent } from "../../ffi/peer.ts";
import { decodeReply, encodeRequest, Operation } from "../wire/body.ts";
import type { FrontCalls } from "../body/front.ts";

/** Numbers of 64 bits that nobody guesses. */
const NUMBERS = 2;
/** Longer than the reply. */
const REPLY_MAX = 64;

/** Accepts the command of a front; false unless the peer itself wants it to be carried out. */
export async function acceptProven(
  helper: Helper,
  calls: FrontCalls,
  socket: number,
  { pid, pidfd }: Peer,
): Promise<boolean> {
  const secret = [...crypto.getRandomValues(new BigUint64Array(NUMBERS))];
  hearSenders(socket, true);
  calls.send(socket, { bytes: encodeRequest(Operation.accept, 1, secret, []), fds: [] });
  await helper.awaitFds([socket]);
  const sent = receiveSent(socket, REPLY_MAX);
  hearSenders(socket, false);
  const fields = decodeReply(sent.bytes)?.fields;
  const isSame = fields?.byteLength === secret.length * 8 &&
    secret.every((number, index) => fields.getBigUint64(index * 8, true) === number);
  return isSame && sent.pid === pid && !helper.exited(pidfd);
}
