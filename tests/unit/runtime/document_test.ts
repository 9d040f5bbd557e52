/** Documents that are read without holding the event loop up. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { O_NONBLOCK, O_RDWR } from "../../../lib/base/linux.ts";
import { readDocumentLater } from "../../../lib/runtime/document.ts";

const helper = await loadHelper();
const encoder = new TextEncoder();

async function withFifo(body: (path: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "runts-document-" });
  try {
    helper.makeFifo(`${directory}/fifo`, 0o600);
    await body(`${directory}/fifo`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a pipe that stalls holds nobody else up", () =>
  withFifo(async (path) => {
    const writer = helper.open(path, O_RDWR | O_NONBLOCK);
    helper.write(writer, encoder.encode('{"a":'));
    let done = false;
    const reading = readDocumentLater(helper, path).finally(() => done = true);
    for (let turns = 0; turns < 20; turns++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(done, false);
    helper.write(writer, encoder.encode("1}"));
    helper.close(writer);
    assertEquals(await reading, '{"a":1}');
  }));

Deno.test("a document in a pipe may be longer than the pipe", () =>
  withFifo(async (path) => {
    const reading = readDocumentLater(helper, path);
    const text = "x".repeat(300_000);
    await Deno.writeTextFile(path, text);
    assertEquals((await reading).length, text.length);
  }));

Deno.test("a fifo without a writer is not waited for", () =>
  withFifo(async (path) => {
    const begin = performance.now();
    const error = await assertRejects(() => readDocumentLater(helper, path), Error);
    assertEquals(error.message, "it is a fifo that nobody writes to");
    assert(performance.now() - begin >= 1000);
  }));

Deno.test("a device has an end, or is too long", async () => {
  assertEquals(await readDocumentLater(helper, "/dev/null"), "");
  const error = await assertRejects(() => readDocumentLater(helper, "/dev/zero"), Error);
  assertEquals(error.message, "it is longer than 64 MiB");
});
