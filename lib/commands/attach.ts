import { DETACH_KEYS, joinStreams, KeyWatch, parseKeys } from "../cli/join.ts";
import { defineCommand } from "../cli/types.ts";
import { join, resize } from "../supervise/attach.ts";
import { waitFor } from "../supervise/wait.ts";
import { CONTAINER, PROCESS } from "./shared.ts";

export const command = defineCommand({
  name: "attach",
  group: "supervision",
  summary: "join the streams of a supervised container",
  description: [
    "Ends with the program, whose exit code it has, or when the detach keys are pressed; the program " +
    "does not notice. Of a terminal, what it has shown last is shown again.",
  ],
  arguments: { id: CONTAINER },
  options: {
    process: PROCESS,
    detachKeys: {
      value: "KEYS",
      description: `what ends it on a terminal (default: ${DETACH_KEYS})`,
    },
    noStdin: { description: "output alone" },
  },
  examples: [
    { text: "its console", command: "runts attach web" },
    { text: "with other keys", command: "runts attach --detach-keys ctrl-],q web" },
  ],
  async run({ runtime, args, options }) {
    const { process, detachKeys = DETACH_KEYS, noStdin = false } = options;
    const keys = parseKeys('option "--detach-keys"', detachKeys);
    const named = { ...args, ...(process !== undefined && { process }) };
    const { streams, of } = await join(runtime, { ...named, stdin: !noStdin });
    using _detach = streams;
    const parted = await joinStreams(streams, {
      input: !noStdin,
      watch: new KeyWatch(keys),
      resize: (columns, rows) => resize(runtime, { ...named, columns, rows }),
    });
    if (parted === "detached") return 0;
    if (parted !== "ended") return 128 + parted.signal;
    return (await waitFor(runtime, named, of)).code;
  },
});
