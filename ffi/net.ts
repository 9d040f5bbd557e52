/** rtnetlink(7) sockets of network namespaces: what few commands need of the helper library. */

import { check, outside } from "./call.ts";
import type { Helper } from "./helper.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/net.h states it. */
export const NET_SYMBOLS = {
  // int32_t rts_netlink_open(int32_t netns);
  rts_netlink_open: { parameters: ["i32"], result: "i32" },
  // int32_t rts_netlink_ask(int32_t socket, const uint8_t *request, uint32_t length, uint8_t *reply, uint32_t size);
  rts_netlink_ask: { parameters: ["i32", "buffer", "u32", "buffer", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Room for the links or addresses of a namespace: some 700 links, some 13 000 addresses. */
const REPLY_SIZE = 1 << 20;

/** A conversation with the kernel about one network namespace. */
export interface NetlinkSocket extends Disposable {
  /** Sends one request; gives every message of the answer, with the one that ends it. */
  ask(request: Uint8Array<ArrayBuffer>): Uint8Array;
}

/**
 * Opens a socket. The helper must have been loaded.
 *
 * @param netns descriptor of the namespace; -1: the caller's. Another one takes CAP_SYS_ADMIN
 */
export function openNetlink(helper: Pick<Helper, "close">, netns = -1): NetlinkSocket {
  const functions = furtherFunctions(NET_SYMBOLS);
  const socket = check(functions.rts_netlink_open(netns), "open a netlink socket");
  return {
    ask(request) {
      const reply = outside(REPLY_SIZE);
      const length = functions.rts_netlink_ask(
        socket,
        request,
        request.length,
        reply,
        reply.length,
      );
      return reply.subarray(0, check(length, "ask the kernel by netlink"));
    },
    [Symbol.dispose]: () => helper.close(socket),
  };
}
