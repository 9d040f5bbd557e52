/** The signatures in ffi/net.ts against c/helper/net.h, and the conversation itself. */

import { assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { NET_SYMBOLS, openNetlink } from "../../../ffi/net.ts";
import { addressesOf, findLink, links } from "../../../lib/net/links.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

Deno.test("every prototype is that of the header", () => {
  assertPrototypes(Object.keys(NET_SYMBOLS), "net.h", "net.ts");
});

Deno.test("the loopback device is found, listed, and has no global address", async () => {
  const helper = await loadHelper();
  using socket = openNetlink(helper);
  const lo = findLink(socket, "lo")!;
  assertEquals({ ...lo, flags: lo.flags & 0x8 }, {
    index: 1,
    name: "lo",
    flags: 0x8,
    mtu: lo.mtu,
    kind: "",
  });
  assertEquals(links(socket).find(({ name }) => name === "lo")?.index, 1);
  assertEquals(addressesOf(socket, lo), []);
  assertEquals(findLink(socket, "no-such-device"), undefined);
});

Deno.test("what is no network namespace is refused", async () => {
  const helper = await loadHelper();
  const file = helper.open("/proc/self/ns/uts", 0);
  try {
    assertThrows(
      () => openNetlink(helper, file),
      RuntsError,
      "open a netlink socket: EINVAL (invalid argument)",
    );
  } finally {
    helper.close(file);
  }
});
