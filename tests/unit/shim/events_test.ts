/** Telling containerd of events, with a stand-in for it. */

import { assertEquals } from "@std/assert";
import { EventsClient, makeEvent, Outbox } from "../../../lib/shim/events.ts";
import { FORWARD } from "../../../lib/shim/messages.ts";
import type { PendingEvent } from "../../../lib/shim/record.ts";
import { decodeRequest, encodeResult } from "../../../lib/shim/ttrpc.ts";
import { decodeMessage } from "../../../lib/wire/protobuf.ts";

/** Takes events at a socket; `answer` says whether one is acknowledged, or its connection closed. */
class Containerd implements AsyncDisposable {
  readonly topics: string[] = [];
  readonly #listener: Deno.UnixListener;
  readonly #served: Promise<void>;
  readonly #open = new Set<Deno.Conn>();

  constructor(readonly path: string, readonly answer: (count: number) => boolean = () => true) {
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#served = this.#serve();
  }

  async #serve(): Promise<void> {
    const connections: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) connections.push(this.#take(connection));
    } catch {
      // it was closed
    }
    await Promise.all(connections);
  }

  async #take(connection: Deno.Conn): Promise<void> {
    this.#open.add(connection);
    const bytes = new Uint8Array(65536);
    for (;;) {
      const length = await connection.read(bytes).catch(() => null);
      if (length === null) break;
      const view = new DataView(bytes.buffer);
      const request = decodeRequest(bytes.subarray(10, 10 + view.getUint32(0)));
      assertEquals(request.method, "Forward");
      const { envelope } = decodeMessage(FORWARD, request.payload);
      assertEquals(envelope?.namespace, "ns");
      this.topics.push(envelope!.topic);
      if (!this.answer(this.topics.length)) break;
      const data = encodeResult(new Uint8Array());
      const frame = new Uint8Array(10 + data.length);
      const head = new DataView(frame.buffer);
      head.setUint32(0, data.length);
      head.setUint32(4, view.getUint32(4));
      head.setUint8(8, 2);
      frame.set(data, 10);
      await connection.write(frame);
    }
    this.#open.delete(connection);
    connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#served;
  }
}

const START = makeEvent("start", { container_id: "c", pid: 7 });
const EXIT = makeEvent("exit", { container_id: "c", id: "c", pid: 7, exit_status: 3 });
const DELETE = makeEvent("delete", { container_id: "c", pid: 7 });

Deno.test("events are told one after the other, and are gone once they are acknowledged", async () => {
  const folder = Deno.makeTempDirSync();
  const client = new EventsClient(`${folder}/socket`);
  try {
    await using containerd = new Containerd(`${folder}/socket`);
    const pending: PendingEvent[] = [START];
    let told = 0;
    const outbox = new Outbox(client, "ns", pending, () => told++);
    outbox.add(EXIT);
    outbox.add(DELETE);
    await outbox.done();
    assertEquals(containerd.topics, ["/tasks/start", "/tasks/exit", "/tasks/delete"]);
    assertEquals([pending.length, told], [0, 3]);
    client.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("one that is not acknowledged is told again, before those behind it", async () => {
  const folder = Deno.makeTempDirSync();
  const client = new EventsClient(`${folder}/socket`);
  try {
    await using containerd = new Containerd(`${folder}/socket`, (count) => count > 2);
    const outbox = new Outbox(client, "ns", [START, EXIT], () => {});
    await outbox.done();
    assertEquals(containerd.topics, [
      "/tasks/start",
      "/tasks/start",
      "/tasks/start",
      "/tasks/exit",
    ]);
    client.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("containerd may come later", async () => {
  const folder = Deno.makeTempDirSync();
  const client = new EventsClient(`${folder}/socket`);
  try {
    const outbox = new Outbox(client, "ns", [START], () => {});
    await new Promise((resolve) => setTimeout(resolve));
    await using containerd = new Containerd(`${folder}/socket`);
    await outbox.done();
    assertEquals(containerd.topics, ["/tasks/start"]);
    client.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
