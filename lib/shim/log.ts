/** Warnings, in containerd's log: it reads the fifo `log` of each bundle. */

import { streamCalls } from "../../ffi/streams.ts";
import { encodeText } from "../base/bytes.ts";
import { O_NONBLOCK, O_WRONLY } from "../base/linux.ts";
import type { OwnHelper } from "../runtime/runtime.ts";

/** One line, as containerd's own shim writes it. */
export function logLine(
  message: string,
  { id, namespace }: { readonly id: string; readonly namespace: string },
  time: string,
): string {
  const fields = { time, level: "warning", msg: message, id, namespace };
  return `${
    Object.entries(fields)
      .map(([name, value]) =>
        `${name}=${/^[\w./:-]+$/.test(value) ? value : JSON.stringify(value)}`
      )
      .join(" ")
  }\n`;
}

/** Takes warnings. What nobody reads, or has no room, is lost. */
export function warnInLog(
  helper: Pick<OwnHelper, "open" | "close">,
  bundle: string,
  of: { readonly id: string; readonly namespace: string },
): (message: string) => void {
  return (message) => {
    try {
      const fifo = helper.open(`${bundle}/log`, O_WRONLY | O_NONBLOCK);
      try {
        const line = logLine(message, of, new Date().toISOString());
        streamCalls().write(fifo, encodeText(line));
      } finally {
        helper.close(fifo);
      }
    } catch {
      // containerd is away, or the bundle is
    }
  };
}
