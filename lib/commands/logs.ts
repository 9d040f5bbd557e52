import { parseTime } from "../cli/size.ts";
import { defineCommand } from "../cli/types.ts";
import { logs } from "../supervise/logs.ts";
import { CONTAINER } from "./shared.ts";

export const command = defineCommand({
  name: "logs",
  group: "supervision",
  summary: "print what a supervised container has written",
  description: ["Each line goes where the program wrote it: standard output or standard error."],
  arguments: { id: CONTAINER },
  options: {
    follow: { short: "f", description: "go on until the container has ended" },
    tail: { short: "n", value: "N", integer: true, description: "the last N lines alone" },
    since: {
      value: "TIME",
      description: 'from this time on, as "2026-11-30T10:00:00Z", or "10m" ago',
    },
    timestamps: { short: "t", description: "with the time in front of each line" },
  },
  examples: [
    { text: "what it has written in the last minute", command: "runts logs --since 1m web" },
    { text: "the last ten lines and what comes", command: "runts logs --follow --tail 10 web" },
  ],
  async run({ runtime, args, options, write, signal }) {
    const { follow = false, tail, since, timestamps } = options;
    const lines = logs(runtime, {
      ...args,
      follow,
      ...(tail !== undefined && { tail }),
      ...(since !== undefined && { since: parseTime('option "--since"', since) }),
      ...(signal && { signal }),
    });
    const isOpen = { stdout: false, stderr: false };
    for await (const { stream, time, text, partial } of lines) {
      const front = timestamps && time !== "" && !isOpen[stream] ? `${time} ` : "";
      write(stream, `${front}${text}${partial ? "" : "\n"}`);
      isOpen[stream] = partial;
    }
  },
});
