/** The signatures in ffi/peer.ts against c/helper/peer.h, and what the kernel tells of a peer. */

import { assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { PEER_SYMBOLS, peerOf } from "../../../ffi/peer.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));

Deno.test("every prototype is that of the header", () => {
  const header = read("c/helper/peer.h").replace(/\s+/g, " ");
  const table = read("ffi/peer.ts");
  for (const name of Object.keys(PEER_SYMBOLS)) {
    const prototype = new RegExp(`// (.*${name}\\(.*;)`).exec(table)?.[1] ?? "";
    assertEquals(header.includes(prototype) && prototype !== "", true, name);
  }
});

Deno.test("a peer is told with a pidfd of it", async () => {
  const helper = await loadHelper();
  const [ours, theirs] = helper.socketpair();
  const { pidfd, ...peer } = peerOf(ours);
  try {
    assertEquals(peer, { pid: Deno.pid, uid: Deno.uid()!, gid: Deno.gid()! });
    const info = Deno.readTextFileSync(`/proc/self/fdinfo/${pidfd}`);
    assertEquals(/^Pid:\s*(\d+)$/m.exec(info)![1], String(Deno.pid));
    assertEquals(helper.exited(pidfd), false);
  } finally {
    for (const fd of [ours, theirs, pidfd]) helper.close(fd);
  }
});

Deno.test("what is no socket has no peer", async () => {
  const helper = await loadHelper();
  const fd = helper.memoryFile("runts-test");
  try {
    assertThrows(() => peerOf(fd), Error, "ask who has connected: ENOTSOCK");
  } finally {
    helper.close(fd);
  }
});
