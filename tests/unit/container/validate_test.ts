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
    return (await validateDocument({}, options)).findings.map(findingText);
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
      'linux.resources.hugepageLimits[0].pagesize: is an unknown property: did you mean "pageSize"?',
    ],
    [
      limited({ memory: { Limit: 1 }, cpus: { quota: 1 } }),
      'linux.resources.memory.Limit: is an unknown property: did you mean "limit"?',
      'linux.resources.cpus: is an unknown property: did you mean "cpu"?',
    ],
    [
      { ...others, process: { ...rest, cwd, evn: [] } },
      'process.evn: is an unknown property: did you mean "env"?',
    ],
    [{ ...config(), extension: { anything: true }, windows: {} }],
  ];
  for (const [document, ...expected] of cases) {
    const { env: _, ...withoutEnv } = document["process"] as Json;
    const isAboutEnv = expected[0]?.startsWith("process.evn");
    assertEquals(
      await findings(isAboutEnv ? { ...document, process: withoutEnv } : document),
      expected,
    );
  }
});

Deno.test("validate ignores unknown properties where it is not told to guess", async () => {
  const file = Deno.makeTempFileSync({ prefix: "runts-validate-" });
  Deno.writeTextFileSync(file, JSON.stringify({ pids: { Limit: 5 } }));
  assertEquals((await validateDocument({}, { resources: file })).findings, []);
  Deno.removeSync(file);
});

Deno.test("validate goes on where it has found misspelt properties alone", async () => {
  const resources = { unified: { memory: "1" }, pids: { Limit: 5 } };
  assertEquals(await findings(resources, "resources"), [
    'pids.Limit: is an unknown property: did you mean "limit"?',
    'unified["memory"]: cannot be set: it is not the name of a cgroup file, like memory.high',
  ]);
});

Deno.test("validate takes a property of another case for none where the other is there, too", async () => {
  assertEquals(await findings(limited({ pids: { limit: 5, LIMIT: 5 } })), []);
});
