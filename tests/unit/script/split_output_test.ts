/** lib/script/split_output.ts */

import { assertEquals } from "@std/assert";
import type { Output } from "../../../lib/body/attachment.ts";
import { SplitOutput } from "../../../lib/script/split_output.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const packet = (stream: "stdout" | "stderr", text: string): Output => ({
  stream,
  bytes: encode(text),
});

/** Packets, and how many of them were taken. */
class Packets implements AsyncIterator<Output, void> {
  taken = 0;
  readonly #all: readonly Output[];

  constructor(...all: Output[]) {
    this.#all = all;
  }

  next(): Promise<IteratorResult<Output, void>> {
    const value = this.#all[this.taken];
    if (value === undefined) return Promise.resolve({ done: true, value: undefined });
    this.taken++;
    return Promise.resolve({ done: false, value });
  }
}

Deno.test("each stream has its own, in its order", async () => {
  const split = new SplitOutput(
    new Packets(packet("stdout", "a"), packet("stderr", "b"), packet("stdout", "c")),
  );
  assertEquals(await Promise.all([split.stdout.text(), split.stderr.text()]), ["ac", "b"]);
  assertEquals(split.lost, 0n);
});

Deno.test("nothing is taken before somebody reads, and no more than that", async () => {
  const packets = new Packets(packet("stdout", "a"), packet("stdout", "b"));
  const split = new SplitOutput(packets);
  const reader = split.stdout.getReader();
  await Promise.resolve();
  assertEquals(packets.taken, 0);
  assertEquals((await reader.read()).value, encode("a"));
  assertEquals(packets.taken, 1);
});

Deno.test("what nobody reads is kept, up to a MiB, and then counted", async () => {
  const much = "x".repeat(400 * 1024);
  const all = [1, 2, 3, 4].map(() => packet("stderr", much));
  const split = new SplitOutput(new Packets(...all, { lost: 5n }, packet("stdout", "end")));
  assertEquals(await split.stdout.text(), "end");
  assertEquals(split.lost, BigInt(2 * much.length) + 5n);
  assertEquals((await split.stderr.text()).length, 2 * much.length);
});

Deno.test("a stream that was cancelled holds nobody up, and loses nothing", async () => {
  const all = [packet("stderr", "a"), packet("stdout", "b"), packet("stderr", "c")];
  const split = new SplitOutput(new Packets(...all));
  const reader = split.stdout.getReader();
  await reader.read();
  await split.stderr.cancel();
  assertEquals((await reader.read()).done, true);
  assertEquals(split.lost, 0n);
});

Deno.test("a reader may bring its own room", async () => {
  const split = new SplitOutput(new Packets(packet("stdout", "abcde")));
  const reader = split.stdout.getReader({ mode: "byob" });
  const first = await reader.read(new Uint8Array(3));
  const second = await reader.read(new Uint8Array(3));
  assertEquals([first.value, second.value], [encode("abc"), encode("de")]);
  const last = await reader.read(new Uint8Array(3));
  assertEquals([last.done, last.value?.length], [true, 0]);
});
