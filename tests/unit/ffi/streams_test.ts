/** The signatures in ffi/streams.ts against c/helper/stream.h, and what the calls do. */

import { assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { STREAM_SYMBOLS, streamCalls } from "../../../ffi/streams.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

Deno.test("every prototype is that of the header", () => {
  assertPrototypes(Object.keys(STREAM_SYMBOLS), "stream.h", "streams.ts");
});

Deno.test("nothing is waited for: an empty pipe and a full one say so", async () => {
  const helper = await loadHelper();
  const calls = streamCalls();
  const [reading, writing] = helper.pipe();
  const bytes = new Uint8Array(70_000).fill(7);
  calls.open(reading, 0);
  calls.open(writing, 64 * 1024);
  assertEquals(calls.read(reading, bytes), "again");
  assertEquals(calls.write(writing, bytes), 65_536);
  assertEquals(calls.write(writing, bytes), "again");
  assertEquals(calls.read(reading, bytes), 65_536);
  helper.close(writing);
  assertEquals(calls.read(reading, bytes), 0);
  helper.close(reading);
});

Deno.test("what nobody reads any more is EPIPE", async () => {
  const helper = await loadHelper();
  const calls = streamCalls();
  const [reading, writing] = helper.pipe();
  helper.close(reading);
  assertThrows(
    () => calls.write(writing, new Uint8Array(1)),
    RuntsError,
    "write to a stream: EPIPE (broken pipe)",
  );
  helper.close(writing);
});
