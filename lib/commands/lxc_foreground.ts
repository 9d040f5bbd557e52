/** What `start -F` and `execute` share: joined to a container until it has stopped. */

import { joinStreams } from "../cli/join.ts";
import type { Foreground } from "../lxc/life/foreground.ts";
import { parseSignal } from "../spec/values/signals.ts";

/** Handed on to init. */
const HANDED_ON = [
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGPWR",
  "SIGHUP",
] as const;

/** Waits until it has stopped for good; the code of its last init. */
export async function stayInForeground(foreground: Foreground): Promise<number> {
  const handlers = HANDED_ON.map((name) => {
    // LXC has it so: a terminal that is gone is to end the container.
    const number = parseSignal(name === "SIGHUP" ? "SIGTERM" : name);
    const handler = () => foreground.signal(number);
    Deno.addSignalListener(name, handler);
    return () => Deno.removeSignalListener(name, handler);
  });
  try {
    for (;;) {
      const ended = foreground.ended();
      await joinStreams(foreground.streams, {
        signalsHandedOn: true,
        input: true,
        resize: (columns, rows) => foreground.resize(columns, rows),
        inputEnds: () => foreground.inputEnds(),
      });
      const code = await ended;
      if (!await foreground.again()) return code;
    }
  } finally {
    for (const remove of handlers) remove();
    foreground[Symbol.dispose]();
  }
}
