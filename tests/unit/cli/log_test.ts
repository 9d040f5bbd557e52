import { assertEquals, assertMatch } from "@std/assert";
import { syslogEntry } from "../../../lib/base/syslog.ts";
import { journalEntry } from "../../../lib/cli/log_service.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("journalEntry() keeps an entry in one field a line", () => {
  assertEquals(
    text(journalEntry("web", 3, "first\nPRIORITY=0")),
    "MESSAGE=first\\nPRIORITY=0\nPRIORITY=3\nSYSLOG_IDENTIFIER=web\n",
  );
});

Deno.test("syslogEntry() has facility, severity, time, identifier and pid", () => {
  const now = new Date(2026, 1, 3, 4, 5, 6);
  assertEquals(
    text(syslogEntry({ id: "web", pid: Deno.pid, facility: 3, severity: 3 }, "gone", now)),
    `<27>Feb  3 04:05:06 web[${Deno.pid}]: gone`,
  );
  assertMatch(
    text(syslogEntry({ id: "web", pid: Deno.pid, facility: 3, severity: 7 }, "x")),
    /^<31>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d web\[/,
  );
});
