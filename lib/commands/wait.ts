import { defineCommand } from "../cli/types.ts";
import { wait } from "../supervise/wait.ts";
import { CONTAINER, PROCESS } from "./shared.ts";

export const command = defineCommand({
  name: "wait",
  group: "supervision",
  summary: "wait until a supervised container has ended and print its exit code",
  description: [
    "It is the code of the program, or 128 and the number of the signal that ended it. A container " +
    "that is started anew has not ended yet. Whoever asks after the end is told the same.",
  ],
  arguments: { id: CONTAINER },
  options: { process: PROCESS },
  examples: [
    { text: "the container", command: "runts wait web" },
    { text: "one more program in it", command: "runts wait --process backup web" },
  ],
  async run({ runtime, args, options, print, signal }) {
    const { code } = await wait(runtime, { ...args, ...options, ...(signal && { signal }) });
    print(`${code}\n`);
  },
});
