/** Logging to journald and syslog, each a datagram socket. */

import { loadHelper } from "../../ffi/helper.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { SYSLOG_FACILITIES, syslogEntry } from "../base/syslog.ts";
import type { Level, Sink } from "./log_level.ts";

/** Severities of syslog(3), which journald has taken over. */
const SEVERITY: Record<Level, number> = { error: 3, warning: 4, info: 6, debug: 7 };

const SOCKETS: Record<string, string> = {
  journald: "/run/systemd/journal/socket",
  syslog: "/dev/log",
};

/**
 * @param service `journald` or `syslog`
 * @param id the identifier that entries carry; "runts" when empty
 */
export async function openService(service: string, id: string): Promise<Sink> {
  const path = SOCKETS[service]!;
  try {
    Deno.statSync(path);
  } catch (cause) {
    throw new RuntsError(`log to ${service} at ${quote(path)}`, { cause });
  }
  const helper = await loadHelper();
  const own = { pid: Deno.pid, facility: SYSLOG_FACILITIES["daemon"]! };
  const format = service === "journald"
    ? journalEntry
    : (id: string, severity: number, text: string) => syslogEntry({ ...own, id, severity }, text);
  return (level, message) => {
    try {
      helper.sendDatagramSync(path, format(id || "runts", SEVERITY[level], message));
    } catch {
      // a log that is gone must not make the command fail
    }
  };
}

/**
 * An entry in journald's native protocol: `NAME=value` lines (systemd, "Native Journal Protocol").
 */
export function journalEntry(id: string, severity: number, message: string): Uint8Array {
  const fields = [
    `MESSAGE=${oneLine(message)}`,
    `PRIORITY=${severity}`,
    `SYSLOG_IDENTIFIER=${oneLine(id)}`,
  ];
  return new TextEncoder().encode(`${fields.join("\n")}\n`);
}

function oneLine(text: string): string {
  return text.replaceAll("\n", "\\n");
}
