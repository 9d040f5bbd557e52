/** The signatures in ffi/device_programs.ts against c/helper/bpf.h, and the calls that need no privilege. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { BPF_SYMBOLS, loadBpf, makeEventfd } from "../../../ffi/device_programs.ts";
import { loadHelper } from "../../../ffi/helper.ts";

const SCALARS: Record<string, string> = { int32_t: "i32", uint32_t: "u32" };

function read(path: string): string {
  return Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

function prototypes(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, prototype]) => oneLine(prototype!));
}

Deno.test("every BPF signature has the prototype of the header, and its types", () => {
  const table = prototypes(read("ffi/device_programs.ts"), /^ {2}\/\/ (\w+ rts_[^;]*;)$/gm);
  const header = prototypes(read("c/helper/bpf.h"), /^(\w+ rts_[^;]*;)/gm);
  assertEquals(table.length, Object.keys(BPF_SYMBOLS).length);
  assertEquals(table, header);
  const signatures = table.map((prototype) => {
    const [, result = "", name = "", list = ""] = /^(\w+) (\w+)\((.*)\);$/.exec(prototype)!;
    const parameters = list === "void"
      ? []
      : list.split(", ").map((parameter) =>
        parameter.includes("*") ? "buffer" : SCALARS[parameter.split(" ")[0]!] ?? parameter
      );
    return [name, { parameters, result: SCALARS[result] }];
  });
  assertEquals(Object.fromEntries(signatures), BPF_SYMBOLS);
});

Deno.test("an eventfd is new, non-blocking and closed by exec", async () => {
  const helper = await loadHelper();
  const fd = await makeEventfd();
  try {
    assertEquals(helper.readAvailable(fd, 8), "again");
    assertEquals(helper.fdFlags(fd), 1);
  } finally {
    helper.close(fd);
  }
});

Deno.test("BPF calls on what is no program or cgroup give the error number", async () => {
  const bpf = await loadBpf();
  const helper = await loadHelper();
  const fd = bpf.openDirectory("/");
  try {
    const error = assertThrows(() => bpf.attach(fd, fd), Error);
    assert(/^attach a BPF program: (EBADF|EINVAL|EPERM) /.test(error.message), error.message);
    assertThrows(() => bpf.openDirectory("/proc/self/status"), Error, "ENOTDIR (not a directory)");
  } finally {
    helper.close(fd);
  }
});
