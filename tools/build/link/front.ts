/** Compiles the front into the flat block of code that the linked executable enters first. */

import { join } from "@std/path";
import { filesBelow } from "../../support/paths.ts";
import { run } from "../../support/run.ts";
import { NATIVE } from "../target.ts";

/** Sources of c/common that need no libc either. */
const COMMON = ["exit_info.c", "relay.c", "signals.c", "spawn.c"];

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
 * @param source folder of front.ld and the sources
 * @param output folder for intermediate files
 * @param defines options of the compiler; tests have a front of their own
 */
export async function buildFront(
  source: string,
  output: string,
  defines: readonly string[],
  { gcc, objcopy } = NATIVE,
): Promise<Uint8Array> {
  const executable = join(output, "front.elf");
  const flat = join(output, "front.bin");
  const common = COMMON.map((name) => join(source, "../common", name));
  const sources = [...(await filesBelow(source, ".c")).sort(), ...common];
  await run(gcc, [
    ...FLAGS,
    ...defines,
    `-Wl,-T,${join(source, "front.ld")}`,
    "-o",
    executable,
    ...sources,
  ]);
  await run(objcopy, ["-O", "binary", "-j", ".front", executable, flat]);
  return await Deno.readFile(flat);
}
