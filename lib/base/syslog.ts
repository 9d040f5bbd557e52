/** Entries of syslog(3), in the form that local daemons take (RFC 3164, without a host name). */

/** Facilities by their names. */
export const SYSLOG_FACILITIES: Readonly<Record<string, number>> = {
  daemon: 3,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};

/** Who says it, and how bad it is. */
interface SyslogHead {
  readonly id: string;
  readonly pid: number;
  readonly facility: number;
  /** From 0, the worst, to 7. */
  readonly severity: number;
}

/** One entry. */
export function syslogEntry(
  { id, pid, facility, severity }: SyslogHead,
  message: string,
  now = new Date(),
): Uint8Array {
  const [, month, day, , time] = /^\w+ (\w+) (\d+) (\d+) ([\d:]+)/.exec(now.toString())!;
  const stamp = `${month} ${String(Number(day)).padStart(2)} ${time}`;
  const text = message.replaceAll("\n", "\\n");
  const name = id.replaceAll("\n", "\\n");
  return new TextEncoder().encode(
    `<${facility << 3 | severity}>${stamp} ${name}[${pid}]: ${text}`,
  );
}
