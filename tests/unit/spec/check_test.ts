import { assertEquals } from "@std/assert";
import { validate, validateResources } from "../../../lib/spec/check/config.ts";
import { validateProcess } from "../../../lib/spec/check/process.ts";
import { type Case, config, faults } from "../../support/spec.ts";

const CASES: Case[] = [
  [{}],
  [{ unknown: { x: [1] }, "process.unknown": 1, windows: {}, vm: 1 }],

  // config.md, "Specification version".
  [{ ociVersion: undefined }, "ociVersion: is required"],
  [{ ociVersion: 1 }, "ociVersion: 1 is not a string"],
  [{ ociVersion: "1.3" }, 'ociVersion: "1.3" is not a version as 1.3.0'],
  [{ ociVersion: "01.3.0" }, 'ociVersion: "01.3.0" is not a version as 1.3.0'],
  [{ ociVersion: "0.9.0" }, 'ociVersion: "0.9.0" is not supported: only versions 1.x are'],
  [{ ociVersion: "2.0.0" }, 'ociVersion: "2.0.0" is not supported: only versions 1.x are'],
  ...["1.0.0", "1.0.2-dev", "1.0.0-rc5", "1.3.0+dev", "1.2.1", "1.99.0"]
    .map((ociVersion): Case => [{ ociVersion }]),

  // "Root".
  [{ root: undefined }, "root: is required"],
  [{ root: [] }, "root: [] is not an object"],
  [{ "root.path": "" }, 'root.path: "" is empty'],
  [{ "root.path": "a\0b" }, 'root.path: "a\\u0000b" contains a NUL character'],
  [{ "root.readonly": "yes" }, 'root.readonly: "yes" is not true or false'],

  // "Hostname", "Domainname": also sethostname(2).
  [{ hostname: "" }],
  [{ hostname: "h".repeat(64), domainname: "d" }],
  [{ hostname: "ä".repeat(33) }, `hostname: "${"ä".repeat(33)}" is longer than 64 bytes`],
  [
    { "linux.namespaces": [{ type: "mount" }], domainname: "d" },
    'hostname: "runts" needs a uts namespace in linux.namespaces',
    'domainname: "d" needs a uts namespace in linux.namespaces',
  ],
  [{ domainname: "d", "linux.sysctl": { "kernel.domainname": "d" } }],
  [{ "linux.sysctl": { "kernel.domainname": "d" } }],
  [
    { domainname: "d", "linux.sysctl": { "kernel/domainname": "e" } },
    'linux.sysctl["kernel/domainname"]: "e" is another value than "d" of the property domainname',
  ],
  [{ "linux.namespaces": 7 }, "linux.namespaces: 7 is not an array"],

  // "Annotations".
  [{ annotations: { "org.opencontainers.unheard-of": "" } }],
  [{ annotations: { "": "x" } }, 'annotations[""]: "x" has an empty key'],
  [{ annotations: { "a.b": 1 } }, 'annotations["a.b"]: 1 is not a string'],
  [{ annotations: "a" }, 'annotations: "a" is not an object'],
  [{ annotations: { "run.oci.hooks.stdout": "/o", "run.oci.hooks.stderr": "/dev/stderr" } }],
  [
    { annotations: { "run.oci.hooks.stdout": "out", "run.oci.hooks.stderr": "" } },
    'annotations["run.oci.hooks.stdout"]: "out" is not an absolute path',
    'annotations["run.oci.hooks.stderr"]: "" is not an absolute path',
  ],
  [
    { annotations: { "run.oci.hooks.stdout": 1 } },
    'annotations["run.oci.hooks.stdout"]: 1 is not a string',
  ],

  // null counts as absent, wherever a property is optional.
  [{
    hooks: null,
    mounts: null,
    annotations: { a: null },
    "process.rlimits": null,
    "process.scheduler": { policy: "SCHED_BATCH", priority: null, runtime: null },
    "linux.seccomp": null,
    "linux.devices": null,
    "linux.netDevices": null,
    "linux.timeOffsets": { monotonic: null },
    "linux.resources": { devices: null, cpu: { quota: 1, burst: null }, rdma: { a: null } },
  }],
  [{ root: null }, "root: is required"],
  [{ mounts: [null] }, "mounts[0]: null is not an object"],
];

Deno.test("validate reports the faults of the top of config.json", () => {
  for (const [changes, ...findings] of CASES) {
    assertEquals(faults(changes), findings, JSON.stringify(changes));
  }
});

Deno.test("validate names what is no configuration at all", () => {
  for (const [document, message] of [[[], "[]"], ["x", '"x"'], [null, "null"], [1, "1"]] as const) {
    assertEquals(validate(document), [
      { path: "", value: document, rule: "type", message: `${message} is not an object` },
    ]);
  }
});

Deno.test("validate reports every fault, with path, value, rule and message", () => {
  const document = config({ "process.cwd": "tmp", "process.args": [], "linux.sysctl": { a: "b" } });
  assertEquals(validate(document), [
    {
      path: "process.cwd",
      value: "tmp",
      rule: "format",
      message: '"tmp" is not an absolute path',
    },
    { path: "process.args", value: [], rule: "required", message: "has no entry" },
    {
      path: "linux.sysctl.a",
      value: "b",
      rule: "combination",
      message: '"b" would change the host: the parameter has no namespace',
    },
  ]);
});

Deno.test("validate leaves the document as it is", () => {
  const document = config({ hooks: null, "process.cwd": 1 });
  const copy = structuredClone(document);
  validate(document);
  assertEquals(document, copy);
});

Deno.test("validateProcess and validateResources take the documents of exec and update", () => {
  assertEquals(validateProcess({ cwd: "/", args: ["sh"], user: { uid: 0, gid: 0 } }), []);
  assertEquals(validateProcess({ cwd: "/", args: ["sh"] }), []);
  assertEquals(validateProcess({ cwd: "/" }).map((finding) => finding.path), ["args"]);
  assertEquals(validateResources({ cpu: { shares: 0 }, memory: {}, blockIO: { weight: 0 } }), []);
  assertEquals(validateResources({ cpu: { shares: -1 } }).map((finding) => finding.path), [
    "cpu.shares",
  ]);
});
