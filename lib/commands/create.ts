import { defineCommand } from "../cli/types.ts";
import { create } from "../container/create.ts";
import { CREATE_OPTIONS, NEW_CONTAINER } from "./create_options.ts";
import { SUPERVISE_OPTIONS, supervision } from "./supervise_options.ts";

export const command = defineCommand({
  name: "create",
  group: "lifecycle",
  summary: "make a container that waits for start",
  description: [
    "Everything is set up as config.json of the bundle says, but the user's program does not " +
    'run before "runts start". The program gets the standard streams of this command.',
  ],
  arguments: { id: NEW_CONTAINER },
  options: { ...CREATE_OPTIONS, ...SUPERVISE_OPTIONS },
  examples: [
    { text: "from the bundle in /srv/web", command: "runts create --bundle /srv/web web" },
    {
      text: "note the pid of its init",
      command: "runts create --bundle /srv/web --pid-file /run/web.pid web",
    },
  ],
  async run({ runtime, args, options, signal }) {
    const { supervised, others } = await supervision(options);
    if (supervised === undefined) {
      return await create(runtime, { ...args, ...others, ...(signal && { signal }) });
    }
    const { createSupervised } = await import("../supervise/create.ts");
    await createSupervised(runtime, { ...args, ...others, supervised });
  },
});
