/** What `validate` finds beyond the specification: what `create` refuses, and misspelt properties. */

import { assertEquals } from "@std/assert";
import { meantKey } from "../../../lib/base/nearest.ts";
import { validateDocument, type ValidateOptions } from "../../../lib/container/validate.ts";
import { findingText } from "../../../lib/spec/check/findings.ts";
import { config, type Json } from "../../support/spec.ts";

/** The findings of a document, as they are printed. */
async function findings(
  document: Json,
  option: keyof ValidateOptions = "config",
): Promise<string[]> {
  const file = Deno.makeTempFileSync({ prefix: "runts-validate-" });
  try {
    Deno.writeTextFileSync(file, JSON.stringify(document));
    const options = { bundle: "/", [option]: file, meant: meantKey };
    const { findings, warnings } = await validateDocument({}, options);
    return [...findings.map(findingText), ...warnings.map((one) => `warning: ${findingText(one)}`)];
  } finally {
    Deno.removeSync(file);
  }
}

const annotated = (name: string, value: string): Json => config({ annotations: { [name]: value } });
const limited = (resources: Json): Json => config({ "linux.resources": resources });

const MAPS = [{ containerID: 0, hostID: 1000, size: 1 }];

const REFUSED: readonly (readonly [document: Json, finding: string])[] = [
  [
    annotated("run.oci.systemd.subgroup", "a/b"),
    'annotations["run.oci.systemd.subgroup"]: use cgroup "a/b": it is no plain name',
  ],
  [
    annotated("org.systemd.property.TimeoutStopUSec", "uint64 soon"),
    'annotations["org.systemd.property.TimeoutStopUSec"]: read "uint64 soon": it is no value that ' +
    "GVariant writes: as 'text', true, uint64 5 or ['a', 'b']",
  ],
  [
    annotated("org.systemd.property.a-b", "true"),
    'annotations["org.systemd.property.a-b"]: set property "a-b" of the unit: its name is made of ' +
    "other characters than letters",
  ],
  [
    annotated("run.oci.seccomp_bpf_data", "AAAA"),
    'annotations["run.oci.seccomp_bpf_data"]: a seccomp filter of 3 bytes is not a number of ' +
    "instructions",
  ],
  [
    annotated("org.opencontainers.image.stopSignal", "SIGNOPE"),
    'annotations["org.opencontainers.image.stopSignal"]: unknown signal "SIGNOPE"',
  ],
  [
    config({ "linux.cgroupsPath": "/" }),
    'linux.cgroupsPath: use cgroup "/": it is the root of the hierarchy, which no container can have',
  ],
  [
    limited({ unified: { memory: "1" } }),
    'linux.resources.unified["memory"]: cannot be set: it is not the name of a cgroup file, like ' +
    "memory.high",
  ],
  [
    limited({ devices: [{ allow: true, type: "c", major: 1048576, minor: 0 }] }),
    "linux.resources.devices[0].major: 1048576 is not between -1 and 1048575",
  ],
  [
    config({
      mounts: [{ destination: "/a", type: "tmpfs", uidMappings: MAPS, gidMappings: MAPS }],
    }),
    'mounts[0]: mount on "/a": only bind mounts map ids',
  ],
];

Deno.test("validate finds what create refuses on every host", async () => {
  for (const [document, finding] of REFUSED) assertEquals(await findings(document), [finding]);
});

Deno.test("validate finds nothing in what one kind of host can do", async () => {
  assertEquals(await findings(limited({ unified: { "memory.high": "900" } })), []);
  assertEquals(await findings(limited({ memory: { swappiness: 60, swap: 100 } })), []);
});

Deno.test("validate finds the same in a resources document", async () => {
  assertEquals(await findings({ unified: { memory: "1" } }, "resources"), [
    'unified["memory"]: cannot be set: it is not the name of a cgroup file, like memory.high',
  ]);
});

Deno.test("validate names the property that an unknown one was meant to be", async () => {
  const { process, ...others } = config() as { process: Json } & Json;
  const { cwd, ...rest } = process;
  const cases: readonly (readonly [document: Json, ...findings: string[]])[] = [
    [
      limited({ hugepageLimits: [{ pagesize: "2MB", limit: 1 }] }),
      "linux.resources.hugepageLimits[0].pageSize: is required: keys are case-sensitive, and this " +
      'one is "pagesize"',
      'warning: linux.resources.hugepageLimits[0].pagesize: is an unknown property: did you mean "pageSize"?',
    ],
    [
      limited({ memory: { Limit: 1 }, cpus: { quota: 1 } }),
      'warning: linux.resources.memory.Limit: is an unknown property: did you mean "limit"?',
      'warning: linux.resources.cpus: is an unknown property: did you mean "cpu"?',
    ],
    [
      { ...others, process: { ...rest, cwd, evn: [] } },
      'warning: process.evn: is an unknown property: did you mean "env"?',
    ],
    [
      { ...config(), extension: { anything: true }, windows: {}, vm: {} },
      "warning: extension: is an unknown property",
    ],
  ];
  for (const [document, ...expected] of cases) {
    const { env: _, ...withoutEnv } = document["process"] as Json;
    const isAboutEnv = expected[0]?.startsWith("warning: process.evn");
    assertEquals(
      await findings(isAboutEnv ? { ...document, process: withoutEnv } : document),
      expected,
    );
  }
});

Deno.test("validate guesses at nothing where it is not told to", async () => {
  const file = Deno.makeTempFileSync({ prefix: "runts-validate-" });
  Deno.writeTextFileSync(file, JSON.stringify({ pids: { Limit: 5 } }));
  const { findings, warnings } = await validateDocument({}, { resources: file });
  assertEquals(findings, []);
  assertEquals(warnings.map(findingText), ["pids.Limit: is an unknown property"]);
  Deno.removeSync(file);
});

Deno.test("validate goes on where it has found misspelt properties alone", async () => {
  const resources = { unified: { memory: "1" }, pids: { Limit: 5 } };
  assertEquals(await findings(resources, "resources"), [
    'unified["memory"]: cannot be set: it is not the name of a cgroup file, like memory.high',
    'warning: pids.Limit: is an unknown property: did you mean "limit"?',
  ]);
});

Deno.test("validate takes a property of another case for none where the other is there, too", async () => {
  assertEquals(await findings(limited({ pids: { limit: 5, LIMIT: 5 } })), [
    "warning: linux.resources.pids.LIMIT: is an unknown property",
  ]);
});

Deno.test("validate warns of capabilities that there are not", async () => {
  const capabilities = {
    bounding: ["CAP_KILL", "kill", "CAP_SYS_ADMN"],
    effective: ["CAP_NOTHING_LIKE_IT"],
  };
  assertEquals(await findings(config({ "process.capabilities": capabilities })), [
    'warning: process.capabilities.bounding[2]: "CAP_SYS_ADMN" is no capability: did you mean ' +
    '"CAP_SYS_ADMIN"?',
    'warning: process.capabilities.effective[0]: "CAP_NOTHING_LIKE_IT" is no capability',
  ]);
  const document = { cwd: "/", args: ["x"], capabilities: { ambient: ["CAP_KIL"] } };
  assertEquals(await findings(document, "process"), [
    'warning: capabilities.ambient[0]: "CAP_KIL" is no capability: did you mean "CAP_KILL"?',
  ]);
});

Deno.test("validate warns of mount options that the kernel will refuse", async () => {
  const mount = (type: string, ...options: string[]) =>
    config({ mounts: [{ destination: "/a", type, source: "a", options }] });
  const cases: readonly (readonly [document: Json, ...warnings: string[]])[] = [
    [mount("tmpfs", "nosuid", "size=64k", "mode=755", "nr_inodes=10k", "x-comment", "huge=never")],
    [
      mount("tmpfs", "mode=755,sise=64k"),
      '0]: "sise=64k" is no option of tmpfs: did you mean "size"?',
    ],
    [mount("tmpfs", "nosiud"), '0]: "nosiud" is no option of tmpfs: did you mean "nosuid"?'],
    [
      mount("tmpfs", "ro", "size=much", "mode=999", "noswap=1"),
      '1]: "size=much" is not of the form NAME=SIZE, as size=64m',
      '2]: "mode=999" is not of the form NAME=OCTAL, as mode=755',
      '3]: "noswap=1" takes no value',
    ],
    [mount("sysfs", "gid=5"), '0]: "gid=5" is no option of sysfs'],
    [
      mount("devpts", "newinstance", "ptmxmode=0666", "gid=tty"),
      '2]: "gid=tty" is not of the form NAME=NUMBER',
    ],
    [mount("proc", "hidepid"), '0]: "hidepid" is not of the form NAME=VALUE'],
    [mount("tmpfs", 'context="a,b"')],
    [mount("ext4", "anything=1")],
    [mount("bind", "rbind", "anything=1")],
  ];
  for (const [document, ...warnings] of cases) {
    const expected = warnings.map((text) => `warning: mounts[0].options[${text}`);
    assertEquals(await findings(document), expected);
  }
});
