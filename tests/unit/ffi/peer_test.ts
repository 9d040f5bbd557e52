/** The signatures in ffi/peer.ts against c/helper/peer.h, and what the kernel tells of a peer. */

import { assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { monitorCalls } from "../../../ffi/monitor.ts";
import { hearSenders, PEER_SYMBOLS, peerOf, receiveSent } from "../../../ffi/peer.ts";
import { isKernelSince } from "../../support/runtime.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

Deno.test("every prototype is that of the header", () => {
  assertPrototypes(Object.keys(PEER_SYMBOLS), "peer.h", "peer.ts");
});

Deno.test("a peer is told with a pidfd of it", async () => {
  const helper = await loadHelper();
  const [ours, theirs] = helper.socketpair();
  const { pidfd, ...peer } = peerOf(ours);
  try {
    assertEquals(peer, {
      ...{ pid: Deno.pid, uid: Deno.uid()!, gid: Deno.gid()! },
      isCertain: isKernelSince(6, 5),
    });
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

Deno.test("who has sent a packet is told where that was wanted", async () => {
  const helper = await loadHelper();
  const [ours, theirs] = monitorCalls().pair();
  const send = (text: string) =>
    monitorCalls().send(theirs, { bytes: new TextEncoder().encode(text), fds: [ours] });
  const told = () => {
    const { bytes, pid } = receiveSent(ours, 8);
    return [new TextDecoder().decode(bytes), pid];
  };
  const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = open();
  try {
    hearSenders(ours, true);
    send("one");
    assertEquals(told(), ["one", Deno.pid]);
    hearSenders(ours, false);
    send("two");
    assertEquals(told(), ["two", 0]);
    assertEquals(open(), before);
    assertThrows(() => receiveSent(ours, 8), Error, "receive a packet: EAGAIN");
  } finally {
    for (const fd of [ours, theirs]) helper.close(fd);
  }
});
