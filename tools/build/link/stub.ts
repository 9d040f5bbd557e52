/** Compiles the stub into the flat block of code that the linked executable enters first. */

import { join } from "@std/path";
import { run } from "../../support/run.ts";

/** Freestanding, without anything that would need ld.so or libc. */
const FLAGS = [
  "-std=gnu11",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Os",
  "-ffreestanding",
  "-fno-builtin",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-tree-loop-distribute-patterns",
  "-fpie",
  "-static",
  "-nostdlib",
  "-Wl,--build-id=none",
  "-Wl,-z,norelro",
];

/**
 * @param source folder of stub.c
 * @param output folder for intermediate files
 */
export async function buildStub(source: string, output: string): Promise<Uint8Array> {
  const executable = join(output, "stub.elf");
  const flat = join(output, "stub.bin");
  await run("gcc", [
    ...FLAGS,
    `-Wl,-T,${join(source, "stub.ld")}`,
    "-o",
    executable,
    join(source, "stub.c"),
    join(source, "code_cache.c"),
    join(source, "limits.c"),
  ]);
  await run("objcopy", ["-O", "binary", "-j", ".stub", executable, flat]);
  return await Deno.readFile(flat);
}
