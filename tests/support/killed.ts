/** Commands that are killed in the middle of their work. */

import type { TestRuntime } from "./host.ts";
import { commandLine, RUNTIME } from "./runtime.ts";

/** Starts a command and kills it after a while, in ms. Gives whether it was quicker. */
export async function killAfter(
  runtime: TestRuntime,
  args: string[],
  delay: number,
): Promise<boolean> {
  const [executable, ...rest] = commandLine(RUNTIME, ["--root", runtime.root, ...args]);
  const process = new Deno.Command(executable!, {
    args: rest,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await new Promise((resolve) => setTimeout(resolve, delay));
  try {
    process.kill("SIGKILL");
  } catch {
    // it was quicker
  }
  return (await process.status).signal === null;
}
