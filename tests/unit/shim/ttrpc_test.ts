/** Frames and messages of ttrpc. */

import { assertEquals, assertThrows } from "@std/assert";
import { CREATE } from "../../../lib/shim/messages.ts";
import { decodeMessage } from "../../../lib/wire/protobuf.ts";
import { RECORDED } from "../../support/recorded_frames.ts";
import {
  Code,
  decodeRequest,
  encodeFailure,
  encodeResult,
  requestFrame,
  ResponseReader,
  resultOf,
  StatusError,
} from "../../../lib/shim/ttrpc.ts";

/** The request of a recorded frame, whose head is checked. */
function recorded(name: string) {
  const bytes = Uint8Array.fromHex(RECORDED[name]!);
  const view = new DataView(bytes.buffer);
  assertEquals([view.getUint32(0), view.getUint8(8), view.getUint8(9)], [bytes.length - 10, 1, 0]);
  return decodeRequest(bytes.subarray(10));
}

Deno.test("recorded calls", () => {
  for (const name of Object.keys(RECORDED)) {
    const request = recorded(name);
    assertEquals([request.service, request.method], ["containerd.task.v2.Task", name]);
    const { id } = decodeMessage({ id: [1, "string"] } as const, request.payload);
    assertEquals(id, "t3");
  }
  // 2 s, less what had gone by.
  assertEquals(recorded("State").timeout > 1_900_000_000n, true);
  assertEquals(recorded("Wait").timeout, 0n);
});

Deno.test("a recorded Create", () => {
  const create = decodeMessage(CREATE, recorded("Create").payload);
  const [rootfs, ...others] = create.rootfs;
  assertEquals(others, []);
  assertEquals([rootfs?.type, rootfs?.source, rootfs?.target], ["overlay", "overlay", ""]);
  assertEquals(rootfs?.options.map((one) => one.split("=")[0]), [
    ...["index", "workdir", "upperdir", "lowerdir"],
  ]);
  assertEquals(
    create.bundle,
    "/run/containerd/io.containerd.runtime.v2.task/runts-clients-shim/t3",
  );
  assertEquals(create.stdout.endsWith("/t3-stdout"), true);
  assertEquals([create.terminal, create.checkpoint], [false, ""]);
});

Deno.test("a request is put into a frame", () => {
  const payload = new Uint8Array([1, 2]);
  const bytes = requestFrame(5, { service: "s", method: "m", payload, timeout: 7n });
  const view = new DataView(bytes.buffer);
  assertEquals(view.getUint32(0), bytes.length - 10);
  assertEquals(view.getUint32(4), 5);
  assertEquals([view.getUint8(8), view.getUint8(9)], [1, 0]);
  assertEquals(decodeRequest(bytes.subarray(10)), {
    service: "s",
    method: "m",
    payload,
    timeout: 7n,
  });
});

function responseFrame(stream: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(10 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  view.setUint32(4, stream);
  view.setUint8(8, 2);
  bytes.set(data, 10);
  return bytes;
}

Deno.test("responses are put together, however they come", () => {
  const one = responseFrame(1, encodeResult(new Uint8Array([9])));
  const two = responseFrame(3, encodeFailure(new StatusError(Code.notFound, "no such thing")));
  const all = new Uint8Array([...one, ...two]);
  for (let size = 1; size <= all.length; size++) {
    const reader = new ResponseReader();
    const found: (readonly [number, Uint8Array])[] = [];
    for (let at = 0; at < all.length; at += size) {
      found.push(...reader.add(all.subarray(at, at + size)));
    }
    assertEquals(found.map(([stream]) => stream), [1, 3]);
    assertEquals(resultOf(found[0]![1]), new Uint8Array([9]));
    const error = assertThrows(() => resultOf(found[1]![1]), StatusError, "no such thing");
    assertEquals(error.code, Code.notFound);
  }
});

Deno.test("a frame that is longer than any is refused", () => {
  const bytes = new Uint8Array([0, 64, 0, 1, 0, 0, 0, 1, 2, 0]);
  assertThrows(() => [...new ResponseReader().add(bytes)], Error, "read a ttrpc frame");
});
