import { defineCommand } from "../cli/types.ts";
import { run } from "../container/run.ts";
import { CREATE_OPTIONS, NEW_CONTAINER } from "./create_options.ts";
import { SUPERVISE_OPTIONS, supervision } from "./supervise_options.ts";

export const command = defineCommand({
  name: "run",
  group: "lifecycle",
  summary: "create a container, start it and wait for its end",
  description: [
    "The exit code is that of the program, or 128 and the number of the signal that ended it. " +
    "Afterwards the container is deleted; one that a monitor looks after stays, and ctrl-p ctrl-q on a " +
    "terminal leaves it running.",
  ],
  arguments: { id: NEW_CONTAINER },
  options: {
    ...CREATE_OPTIONS,
    ...SUPERVISE_OPTIONS,
    detach: { short: "d", description: "return as soon as the program runs" },
    keep: { description: "do not delete the container when it has stopped" },
  },
  examples: [
    { text: "in the foreground", command: "runts run --bundle /srv/web web" },
    { text: "in the background", command: "runts run --detach --bundle /srv/web web" },
    {
      text: "looked after by a monitor",
      command: "runts run --detach --restart on-failure --bundle /srv/web web",
    },
  ],
  async run({ runtime, args, options, signal }) {
    const { supervised, others } = await supervision(options);
    if (supervised === undefined) {
      return await run(runtime, {
        ...args,
        ...others,
        adoptOrphans: !options.noSubreaper,
        ...(signal && { signal }),
      });
    }
    const all = { ...args, ...others, supervised };
    if (!options.detach) {
      const { runInForeground } = await import("./run_supervised.ts");
      return await runInForeground(runtime, all);
    }
    const { runSupervised } = await import("../supervise/create.ts");
    await runSupervised(runtime, all);
    return 0;
  },
});
