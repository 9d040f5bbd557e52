/** Warnings in containerd's log. */

import { assertEquals } from "@std/assert";
import { load } from "../../../lib/runtime/load.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { logLine, warnInLog } from "../../../lib/shim/log.ts";

const OF = { id: "c1", namespace: "k8s.io" };
const TIME = "2026-11-30T10:00:00.123Z";

Deno.test("a line has what a client looks for, quoted where it has to be", () => {
  assertEquals(
    logLine('read "/a b": ENOENT', OF, TIME),
    `time=${TIME} level=warning msg="read \\"/a b\\": ENOENT" id=c1 namespace=k8s.io\n`,
  );
  assertEquals(logLine("", OF, TIME), `time=${TIME} level=warning msg="" id=c1 namespace=k8s.io\n`);
});

Deno.test("it goes to whoever reads the fifo of the bundle", async () => {
  const { helper } = await load(new Runtime());
  const folder = Deno.makeTempDirSync();
  try {
    const warn = warnInLog(helper, folder, OF);
    warn("there is no fifo");
    helper.makeFifo(`${folder}/log`, 0o600);
    warn("nobody reads it");
    using reader = Deno.openSync(`${folder}/log`, { read: true, write: true });
    warn("somebody does");
    const bytes = new Uint8Array(1000);
    const text = new TextDecoder().decode(bytes.subarray(0, reader.readSync(bytes)!));
    assertEquals(
      text.replace(/^time=\S+/, "time"),
      'time level=warning msg="somebody does" id=c1 namespace=k8s.io\n',
    );
    for (let n = 0; n < 2000; n++) warn("there is no room for all of it");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
