import { assert, assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import {
  CAPABILITIES,
  capabilityNumber,
  capabilitySet,
} from "../../../lib/spec/values/capabilities.ts";
import { rlimitNumber, RLIMITS } from "../../../lib/spec/values/rlimits.ts";
import { parseSignal, signalName } from "../../../lib/spec/values/signals.ts";
import { isSysctlName, sysctlNamespace, sysctlPath } from "../../../lib/spec/values/sysctl.ts";

/** Numbers of `#define PREFIX_NAME NUMBER` in headers of the C compiler's search path. */
async function defines(header: string, prefix: string): Promise<Record<string, number>> {
  const gcc = new Deno.Command("gcc", {
    args: ["-E", "-dM", "-D_GNU_SOURCE", "-include", header, "-x", "c", "/dev/null"],
  });
  const { stdout, success } = await gcc.output();
  assert(success, `gcc cannot read ${header}`);
  const pattern = new RegExp(`^#define (${prefix}[A-Z0-9_]+) +(\\d+|__${prefix}\\w+)$`, "gm");
  const found = [...new TextDecoder().decode(stdout).matchAll(pattern)];
  return Object.fromEntries(found.map((match) => [match[1] as string, Number(match[2])]));
}

Deno.test("CAPABILITIES has the numbers of linux/capability.h", async () => {
  const numbers = await defines("linux/capability.h", "CAP_");
  const names = Object.keys(numbers).filter((name) => name !== "CAP_LAST_CAP");
  assert(names.length >= 38, String(names.length));
  for (const name of names) assertEquals(capabilityNumber(name), numbers[name], name);
  assertEquals(CAPABILITIES.length, 41);
});

Deno.test("capabilitySet makes a mask and keeps unknown names", () => {
  assertEquals(capabilitySet(["CAP_CHOWN", "kill", "Cap_Checkpoint_Restore", "CAP_CHOWN"]), {
    mask: 1n | 1n << 5n | 1n << 40n,
    unknown: [],
  });
  assertEquals(capabilitySet(["CAP_X", "", "ALL"]), { mask: 0n, unknown: ["CAP_X", "", "ALL"] });
});

Deno.test("RLIMITS has the numbers of sys/resource.h", async () => {
  const numbers = await defines("asm-generic/resource.h", "RLIMIT_");
  assertEquals(Object.keys(numbers).length, RLIMITS.length);
  for (const [name, number] of Object.entries(numbers)) {
    assertEquals(rlimitNumber(name), number, name);
  }
  assertEquals(rlimitNumber("RLIMIT_X"), undefined);
});

Deno.test("parseSignal knows the signals of signal.h by name and number", async () => {
  const numbers = await defines("signal.h", "SIG");
  const standard = Object.entries(numbers).filter(([, number]) => number >= 1 && number <= 31);
  assert(standard.length >= 31, String(standard.length));
  for (const [name, number] of standard) {
    if (name === "SIGSTKSZ" || name.startsWith("SIG_")) continue;
    assertEquals(parseSignal(name), number, name);
    assertEquals(parseSignal(name.slice(3).toLowerCase()), number, name);
    assertEquals(parseSignal(signalName(number)), number, name);
  }
});

Deno.test("parseSignal reads numbers, aliases and real-time signals", () => {
  const signals = {
    "0": 0,
    "9": 9,
    "64": 64,
    SIGIOT: 6,
    CLD: 17,
    POLL: 29,
    RTMIN: 34,
    "SIGRTMIN+3": 37,
    "rtmax-1": 63,
    RTMAX: 64,
  };
  for (const [text, number] of Object.entries(signals)) {
    assertEquals(parseSignal(text), number, text);
  }
  assertEquals([15, 32, 34, 37, 64].map(signalName), [
    "TERM",
    "32",
    "RTMIN",
    "RTMIN+3",
    "RTMIN+30",
  ]);
});

Deno.test("parseSignal names what is no signal", () => {
  for (
    const text of [
      "",
      "X",
      "65",
      "-1",
      "9x",
      "SIG",
      "RTMIN-1",
      "RTMAX+1",
      "SIGSIGTERM",
      "1e1",
      " 9",
      "9\n",
      "0x9",
      " TERM",
      "TERM ",
    ]
  ) {
    const error = assertThrows(() => parseSignal(text), RuntsError);
    assertEquals(error.message, `unknown signal ${JSON.stringify(text)}`);
  }
});

Deno.test("sysctlPath reads dots and slashes as sysctl.d(5) does", () => {
  const paths = {
    "net.ipv4.ip_forward": "net/ipv4/ip_forward",
    "net/ipv4/ip_forward": "net/ipv4/ip_forward",
    "net.ipv4.conf.eno2/100.rp_filter": "net/ipv4/conf/eno2.100/rp_filter",
    "net/ipv4/conf/eno2.100/rp_filter": "net/ipv4/conf/eno2.100/rp_filter",
    "kernel": "kernel",
  };
  for (const [name, path] of Object.entries(paths)) assertEquals(sysctlPath(name), path, name);
});

Deno.test("sysctlNamespace tells the parameters of the host apart", () => {
  const namespaces = {
    "net.core.somaxconn": "network",
    "kernel.shmmax": "ipc",
    "kernel/msg_next_id": "ipc",
    "fs.mqueue.msg_max": "ipc",
    "kernel.domainname": "uts",
    "user.max_user_namespaces": "user",
    "kernel.shmmax.x": undefined,
    "kernel.core_pattern": undefined,
    "fs.file-max": undefined,
    "vm.swappiness": undefined,
    "net": undefined,
    "": undefined,
  };
  for (const [name, namespace] of Object.entries(namespaces)) {
    assertEquals(sysctlNamespace(name), namespace, name);
  }
  for (const name of ["", ".", "net..x", "net/../kernel", "net/", "/net/x"]) {
    assertEquals(isSysctlName(name), false, name);
  }
});
