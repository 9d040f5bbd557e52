import { printBytes, printError } from "../cli/output.ts";
import { defineCommand } from "../cli/types.ts";
import { whenAsked } from "../cli/asked.ts";
import { allInput } from "../cli/standard_input.ts";
import { runShim } from "../shim/command.ts";

/** For containerd, which calls a link of a shim's name, and for monitors. */
export const command = defineCommand({
  name: "shim",
  group: "system",
  summary: "stand for a shim of containerd",
  arguments: {},
  options: {},
  raw: (words) =>
    runShim(words, {
      input: allInput,
      print: (bytes) => printBytes("stdout", bytes),
      fail: (line) => printError(`${line}\n`),
      asked: whenAsked,
    }),
  async run() {},
});
