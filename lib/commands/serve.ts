import { RuntsError } from "../base/errors.ts";
import { parseDuration } from "../cli/size.ts";
import { defineCommand } from "../cli/types.ts";
import { serve } from "../serve/serve.ts";
import { loadWarm, prepareWarm } from "./warm.ts";

export const command = defineCommand({
  name: "serve",
  group: "system",
  summary: "stay, and carry out the commands of this user at once",
  description: [
    "A command gives itself to this process where it can be carried out as well, and need not start " +
    "Deno: it takes a third of the time. One a user, for commands in the same namespaces and with the " +
    "same rights; all others run as if it were not there.",
  ],
  arguments: {},
  options: {
    status: { description: "say what serves; exit 1 when nothing does" },
    idle: { value: "TIME", description: 'end when nothing was asked for so long, as "10m"' },
  },
  examples: [
    { text: "until it is interrupted", command: "runts serve" },
    { text: "what it has done", command: "runts serve --status" },
  ],
  async run({ runtime, options: { idle, status } }) {
    // The brain answers for itself: whoever comes here has found none.
    if (status) throw new RuntsError("no warm brain serves this caller");
    const end = new AbortController();
    const stop = () => end.abort();
    for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, stop);
    await loadWarm();
    await serve(runtime, {
      ...(idle !== undefined && { idle: parseDuration('option "--idle"', idle) }),
      prepare: prepareWarm,
      signal: end.signal,
    });
  },
});
