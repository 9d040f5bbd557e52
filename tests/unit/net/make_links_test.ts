/** Requests about bridges' ports and about proxies, as bytes. */

import { assertEquals } from "@std/assert";
import type { NetlinkSocket } from "../../../ffi/net.ts";
import type { Link } from "../../../lib/net/links.ts";
import { addPortVlan, addProxy, removePortVlan, removeProxy } from "../../../lib/net/make_links.ts";

const PORT: Link = { index: 7, name: "veth0", flags: 0, mtu: 1500, kind: "veth" };

/** What is asked, behind the header of the message: its type, and the rest. */
function asked(body: (socket: NetlinkSocket) => void): { type: number; bytes: number[] } {
  let request = new Uint8Array();
  const ask = (bytes: Uint8Array) => {
    request = new Uint8Array(bytes);
    // An acknowledgement: NLMSG_ERROR with 0.
    const answer = new Uint8Array(36);
    const view = new DataView(answer.buffer);
    view.setUint32(0, 36, true);
    view.setUint16(4, 2, true);
    return answer;
  };
  body({ ask } as unknown as NetlinkSocket);
  const type = new DataView(request.buffer).getUint16(4, true);
  return { type, bytes: [...request.subarray(16)] };
}

/** struct ifinfomsg of a port: AF_BRIDGE, then its index. */
const FIXED = [7, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0];

Deno.test("virtual networks of a port: number, and whether packets have it written on them", () => {
  const spec = (flags: number) => [12, 0, 26, 0x80, 8, 0, 2, 0, flags, 0, 100, 0];
  const { type, bytes } = asked((socket) => addPortVlan(socket, PORT, { id: 100, untagged: true }));
  assertEquals([type, bytes.slice(0, 12), bytes.slice(16)], [19, FIXED, spec(6)]);
  const tagged = asked((socket) => addPortVlan(socket, PORT, { id: 100, untagged: false }));
  assertEquals(tagged.bytes.slice(16), spec(0));
  const removed = asked((socket) => removePortVlan(socket, PORT, 100));
  assertEquals([removed.type, removed.bytes.slice(16)], [17, spec(0)]);
});

Deno.test("proxies: family, device and address", () => {
  const added = asked((socket) => addProxy(socket, PORT, "10.0.0.5"));
  assertEquals(added, {
    type: 28,
    bytes: [2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 8, 0, 8, 0, 1, 0, 10, 0, 0, 5],
  });
  const removed = asked((socket) => removeProxy(socket, PORT, "fd00::1"));
  assertEquals([removed.type, removed.bytes[0], removed.bytes.at(-1)], [29, 10, 1]);
});
