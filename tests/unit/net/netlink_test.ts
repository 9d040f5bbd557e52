/** Messages of rtnetlink. */

import { fromCString } from "../../../ffi/call.ts";
import { assertEquals, assertThrows } from "@std/assert";
import * as netlink from "../../../lib/net/netlink.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

/** One message as the kernel would answer. */
function message(type: number, flags: number, body: number[]): number[] {
  const length = 16 + body.length;
  const header = [length, 0, 0, 0, type, 0, flags & 0xff, flags >> 8, ...Array(8).fill(0)];
  return [...header, ...body, ...Array(-length & 3).fill(0)];
}

const text = (value: string) => [...new TextEncoder().encode(`${value}\0`)];

Deno.test("a request has its header, its structure and padded attributes", () => {
  const bytes = netlink.request(
    netlink.RTM_NEWLINK,
    netlink.NLM_F_ACK,
    new Uint8Array(16).fill(7),
    [
      [3, netlink.toCString("eth0")],
      [28, netlink.uint32(0x01020304)],
    ],
  );
  assertEquals([...bytes], [
    ...[52, 0, 0, 0, 16, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ...Array(16).fill(7),
    ...[9, 0, 3, 0, ...text("eth0"), 0, 0, 0],
    ...[8, 0, 28, 0, 4, 3, 2, 1],
  ]);
});

Deno.test("an answer gives its messages up to the one that ends it", () => {
  const reply = new Uint8Array([
    ...message(16, 2, [1, 2, 3, 4, 5]),
    ...message(16, 2, [6]),
    ...message(netlink.NLMSG_DONE, 2, [0, 0, 0, 0]),
  ]);
  assertEquals(
    netlink.answer(reply, "ask").map(({ type, body }) => [type, [...body]]),
    [[16, [1, 2, 3, 4, 5]], [16, [6]]],
  );
});

Deno.test("an acknowledgement is an empty answer", () => {
  const reply = new Uint8Array(message(netlink.NLMSG_ERROR, 0, Array(20).fill(0)));
  assertEquals(netlink.answer(reply, "ask"), []);
});

Deno.test("an error has the kernel's number and text", () => {
  const said = text("no way");
  const reply = new Uint8Array(message(netlink.NLMSG_ERROR, 0x300, [
    ...[0xea, 0xff, 0xff, 0xff, ...Array(16).fill(0)],
    ...[4 + said.length, 0, 1, 0, ...said],
  ]));
  assertThrows(
    () => netlink.answer(reply, "ask"),
    RuntsError,
    'ask: EINVAL (invalid argument): the kernel says "no way"',
  );
});

Deno.test("a list that changed while it was taken is EAGAIN", () => {
  const reply = new Uint8Array(message(20, 0x12, [1]));
  assertThrows(
    () => netlink.answer(reply, "ask"),
    RuntsError,
    "ask: EAGAIN (resource temporarily unavailable)",
  );
});

Deno.test("attributes are found behind the structure; what is cut off is left out", () => {
  const body = new Uint8Array([
    ...[9, 9, 9, 9],
    ...[5, 0, 3, 0, 65, 0, 0, 0],
    ...[8, 0, 28, 0x80, 1, 0, 0, 0],
    ...[99, 0, 1, 0, 1],
  ]);
  const found = netlink.attributesOf(body, 4);
  assertEquals([...found].map(([type, value]) => [type, [...value]]), [
    [3, [65]],
    [28, [1, 0, 0, 0]],
  ]);
  assertEquals(fromCString(new Uint8Array([101, 116, 104, 0, 120])), "eth");
});
