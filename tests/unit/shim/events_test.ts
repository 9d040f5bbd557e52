/** Telling containerd of events, with a stand-in for it. */

import { assertEquals } from "@std/assert";
import { EventsClient, makeEvent, Outbox } from "../../../lib/shim/events.ts";
import type { PendingEvent } from "../../../lib/shim/record.ts";
import { load } from "../../../lib/runtime/load.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { EventsServer } from "../../support/shim.ts";

const runtime = await load(new Runtime());

const START = makeEvent("start", { container_id: "c", pid: 7 });
const EXIT = makeEvent("exit", { container_id: "c", id: "c", pid: 7, exit_status: 3 });
const DELETE = makeEvent("delete", { container_id: "c", pid: 7 });

Deno.test("events are told one after the other, and are gone once they are acknowledged", async () => {
  const folder = Deno.makeTempDirSync();
  const client = new EventsClient(runtime, `${folder}/socket`);
  try {
    await using containerd = new EventsServer(`${folder}/socket`);
    const pending: PendingEvent[] = [START];
    let told = 0;
    const outbox = new Outbox(client, "ns", pending, () => told++);
    outbox.add(EXIT);
    outbox.add(DELETE);
    await outbox.done();
    assertEquals(containerd.topics, ["/tasks/start", "/tasks/exit", "/tasks/delete"]);
    assertEquals([pending.length, told], [0, 3]);
    assertEquals([...containerd.namespaces], ["ns"]);
    client.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("one that is not acknowledged is told again, before those behind it", async () => {
  const folder = Deno.makeTempDirSync();
  const client = new EventsClient(runtime, `${folder}/socket`);
  try {
    await using containerd = new EventsServer(`${folder}/socket`, (count) => count > 2);
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
  const client = new EventsClient(runtime, `${folder}/socket`);
  try {
    const outbox = new Outbox(client, "ns", [START], () => {});
    await new Promise((resolve) => setTimeout(resolve));
    await using containerd = new EventsServer(`${folder}/socket`);
    await outbox.done();
    assertEquals(containerd.topics, ["/tasks/start"]);
    client.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
