import { assertEquals } from "@std/assert";
import { BodyConnection, type Descriptors } from "../../../lib/body/connection.ts";
import type { PacketCalls } from "../../../ffi/monitor.ts";

Deno.test("what finds no room keeps what comes later waiting", async () => {
  const sent: number[] = [];
  const room = Promise.withResolvers<void>();
  let isFull = true;
  const calls = {
    send: (_: number, { bytes }: { bytes: Uint8Array }) => {
      if (isFull) return false;
      sent.push(bytes[0]!);
      return true;
    },
  } as unknown as PacketCalls;
  const helper = {
    close() {},
    awaitFds: async (fds: readonly number[]) => {
      await room.promise;
      return fds;
    },
  } as unknown as Descriptors;
  using connection = new BodyConnection(helper, calls, 0, "nobody");
  const first = connection.tell({ operation: 1 });
  const second = connection.tell({ operation: 2 });
  isFull = false;
  const third = connection.tell({ operation: 3 }); // there is room, but it is not its turn
  assertEquals(sent, []);
  room.resolve();
  await Promise.all([first, second, third]);
  assertEquals(sent, [1, 2, 3]);
  await connection.tell({ operation: 4 });
  assertEquals(sent, [1, 2, 3, 4]);
});
