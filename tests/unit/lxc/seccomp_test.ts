import { assertEquals } from "@std/assert";
import { findingText } from "../../../lib/lxc/config/place.ts";
import { readProfile } from "../../../lib/lxc/plan/seccomp.ts";

const HOST: Parameters<typeof readProfile>[1] = {
  cgroup: "v1",
  architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  variable: () => undefined,
  systemCall: (number) => ["read", "write"][number],
  mountPlace: "/run/runts/.lxc",
  lostCapabilities: [],
};

const read = (text: string) => readProfile({ path: "/p", text }, HOST);

Deno.test("the profile that LXC brings", () => {
  const { seccomp, places, findings } = read(`2
denylist
reject_force_umount  # comment this to allow umount -f
[all]
kexec_load errno 1
`);
  assertEquals(findings, []);
  assertEquals(seccomp, {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    syscalls: [
      {
        names: ["umount2"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: 13,
        args: [{ index: 1, value: 1, valueTwo: 1, op: "SCMP_CMP_MASKED_EQ" }],
      },
      { names: ["kexec_load"], action: "SCMP_ACT_ERRNO", errnoRet: 1 },
    ],
  });
  assertEquals(places.map(({ line }) => line), [3, 5]);
});

Deno.test("lists, actions and what becomes of the rest", () => {
  const cases: [text: string, otherwise: string, rule: string, errno?: number][] = [
    ["2\nallowlist\nread", "SCMP_ACT_KILL", "SCMP_ACT_ALLOW"],
    ["2\nwhitelist errno 5\nread", "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"],
    ["2\nblacklist\nread", "SCMP_ACT_ALLOW", "SCMP_ACT_KILL"],
    ["2\ndenylist\nread errno 0", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", 0],
    ["2\ndenylist\nread errno EPERM", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", 1],
    ["2\ndenylist\nread trap", "SCMP_ACT_ALLOW", "SCMP_ACT_TRAP"],
    ["1\nallowlist\n0", "SCMP_ACT_KILL", "SCMP_ACT_ALLOW"],
  ];
  for (const [text, otherwise, rule, errno] of cases) {
    const { seccomp, findings } = read(text);
    assertEquals(findings, [], text);
    const [first] = seccomp.syscalls!;
    assertEquals(
      [seccomp.defaultAction, first!.names[0], first!.action, first!.errnoRet],
      [otherwise, "read", rule, errno],
      text,
    );
  }
});

Deno.test("conditions of arguments", () => {
  const { seccomp } = read("2\ndenylist\nkill errno 1 [1,12,SCMP_CMP_EQ][0,0x10,&=,0xf0]");
  assertEquals(seccomp.syscalls?.[0]?.args, [
    { index: 1, value: 12n, op: "SCMP_CMP_EQ" },
    { index: 0, value: 0xf0n, valueTwo: 0x10n, op: "SCMP_CMP_MASKED_EQ" },
  ]);
});

Deno.test("sections of other architectures do not count, those of one of ours with a word", () => {
  const { seccomp, warnings } = read("2\ndenylist\n[arm64]\nread\n[x86]\nwrite");
  assertEquals(seccomp.syscalls?.map(({ names }) => names), [["write"]]);
  assertEquals(warnings.map(findingText), [
    "/p:6: [x86]: the rule holds for every architecture of this host",
  ]);
});

Deno.test("each fault is told with its line", () => {
  const cases: [text: string, message: string][] = [
    ["", "/p:1: is empty: the first line is the version, 1 or 2"],
    ["3\nallowlist", '/p:1: "3" is not a version: 1 or 2'],
    ["2", '/p:1: the second line is missing: "allowlist" or "denylist"'],
    [
      "2\nallowlst",
      '/p:2: "allowlst" is neither allowlist nor denylist: did you mean "allowlist"?',
    ],
    ["1\ndenylist\n0", "/p:2: version 1 has allowlists only"],
    ["1\nallowlist\n9", '/p:3: "9" is not the number of a system call'],
    [
      "2\ndenylist\nread erno 1",
      '/p:3: "erno" is not one of kill, errno, trap, allow, notify: did you mean "errno"?',
    ],
    ["2\ndenylist\nread errno x", '/p:3: "x" is not an error number from 0 to 4095'],
    ["2\ndenylist\n[x68]\nread", '/p:3: "x68" is not an architecture: did you mean "x86"?'],
    ["2\ndenylist\nread kill [7,1,==]", '/p:3: "7" is not the number of an argument from 0 to 5'],
    ["2\ndenylist\nread kill [0,1,&=]", '/p:3: "[0,1,&=]" has no mask'],
  ];
  for (const [text, message] of cases) {
    assertEquals(read(text).findings.map(findingText)[0], message, text);
  }
});
