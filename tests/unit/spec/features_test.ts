import { assert, assertEquals } from "@std/assert";
import { features } from "../../../lib/spec/features.ts";
import { parseMountOptions } from "../../../lib/spec/values/mount_options.ts";
import type { NamespaceType } from "../../../lib/spec/types/config.ts";
import { validate } from "../../../lib/spec/check/config.ts";
import { config, faults } from "../../support/spec.ts";

const document = features({
  cgroup: { v1: true, v2: true },
  seccomp: { enabled: true, archs: ["SCMP_ARCH_X86_64"], supportedFlags: [] },
  annotations: { "a.b": "1" },
  configAnnotations: ["run.oci.z", "run.oci.a"],
});

Deno.test("features takes the parts of other rooms", () => {
  assertEquals(document.linux?.cgroup, { v1: true, v2: true });
  assertEquals(document.linux?.seccomp?.archs, ["SCMP_ARCH_X86_64"]);
  assertEquals(document.linux?.seccomp?.supportedFlags, []);
  assertEquals(document.linux?.seccomp?.knownFlags?.length, 4);
  assertEquals(document.linux?.intelRdt, undefined);
  assertEquals(document.annotations, { "a.b": "1" });
  assertEquals(document.potentiallyUnsafeConfigAnnotations, ["run.oci.a", "run.oci.z"]);
});

Deno.test("features states versions that config.json may have", () => {
  const { ociVersionMin, ociVersionMax } = document;
  assertEquals([ociVersionMin, ociVersionMax], ["1.0.0", "1.3.0"]);
  for (const ociVersion of [ociVersionMin, ociVersionMax]) assertEquals(faults({ ociVersion }), []);
});

Deno.test("features lists what the validation accepts, and it accepts no other name", () => {
  const seccomp = (value: unknown) => ({
    "linux.seccomp": { defaultAction: "SCMP_ACT_ALLOW", ...value as object },
  });
  const uses: [readonly string[] | undefined, (name: string) => Record<string, unknown>][] = [
    [document.hooks, (name) => ({ hooks: { [name]: [{ path: "/bin/true" }] } })],
    [document.linux?.namespaces, (type) => ({
      "linux.namespaces": [...NEEDED.filter((needed) => needed !== type), type]
        .map((type) => ({ type })),
    })],
    [document.linux?.memoryPolicy?.modes, (mode) => ({
      "linux.memoryPolicy": { mode, nodes: /DEFAULT|LOCAL/.test(mode) ? "" : "0" },
    })],
    [document.linux?.memoryPolicy?.flags, (flag) => ({
      "linux.memoryPolicy": { mode: "MPOL_BIND", nodes: "0", flags: [flag] },
    })],
    [
      document.linux?.seccomp?.actions,
      (action) => seccomp({ listenerPath: "/s", syscalls: [{ names: ["read"], action }] }),
    ],
    [document.linux?.seccomp?.knownFlags, (flag) => seccomp({ flags: [flag] })],
    [document.linux?.seccomp?.operators, (op) =>
      seccomp({
        syscalls: [{
          names: ["read"],
          action: "SCMP_ACT_ALLOW",
          args: [{ index: 0, value: 0, op }],
        }],
      })],
  ];
  for (const [names = [], use] of uses) {
    assert(names.length > 2);
    for (const name of names) assertEquals(faults(use(name)), [], name);
    const invented = faults(use("X"));
    // Unknown hooks are unknown properties, which are ignored.
    assertEquals(invented.length, names === document.hooks ? 0 : 1, invented.join());
  }
});

const NEEDED: NamespaceType[] = ["mount", "uts"];

Deno.test("features lists the mount options that are taken, and not data of filesystems", () => {
  const options = document.mountOptions ?? [];
  assert(options.includes("rro") && options.includes("idmap") && !options.includes("mode"));
  for (const option of options) assertEquals(parseMountOptions([option]).data, [], option);
  assertEquals(options, options.toSorted());
});

Deno.test("features is JSON that says the same", () => {
  assertEquals(JSON.parse(JSON.stringify(document)), structuredClone(document));
  assertEquals(validate(config()), []);
});
