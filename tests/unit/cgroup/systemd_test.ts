import { assertEquals, assertThrows } from "@std/assert";
import { settingsV1 } from "../../../lib/cgroup/v1/resources.ts";
import { settingsV2 } from "../../../lib/cgroup/v2/resources.ts";
import {
  annotationProperties,
  parseVariant,
  settingProperties,
} from "../../../lib/cgroup/systemd/properties.ts";
import { heldByUnit, inBfqWeights } from "../../../lib/cgroup/systemd/held.ts";
import { deviceProperties, nodeOf } from "../../../lib/cgroup/systemd/devices.ts";
import { slicePath, unitOf } from "../../../lib/cgroup/systemd/units.ts";
import type { Resources } from "../../../lib/spec/types/config.ts";

const INFINITY = 2n ** 64n - 1n;

Deno.test("unitOf reads SLICE:PREFIX:NAME and has names of its own for what is left out", () => {
  assertEquals(unitOf("machine-a.slice:libpod:web", "x", "system.slice"), {
    slice: "machine-a.slice",
    name: "libpod-web.scope",
  });
  assertEquals(unitOf(":cri:web", "x", "system.slice").slice, "system.slice");
  assertEquals(unitOf("a.slice::web", "x", "system.slice").name, "web.scope");
  assertEquals(unitOf(undefined, "x", "user.slice"), {
    slice: "user.slice",
    name: "runts-x.scope",
  });
});

Deno.test("unitOf refuses a path", () => {
  for (const path of ["/a/b", "a:b", "a:b:", "a:b:c:d"]) {
    assertThrows(
      () => unitOf(path, "x", "system.slice"),
      Error,
      `linux.cgroupsPath: read cgroup path "${path}": systemd wants "SLICE:PREFIX:NAME": ` +
        "without --systemd-cgroup it is a path",
    );
  }
});

Deno.test("slicePath nests slices by their dashes", () => {
  assertEquals(slicePath("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
  assertEquals(slicePath("machine.slice"), "/machine.slice");
  assertEquals(slicePath("-.slice"), "");
  for (const slice of ["a", "a--b.slice", "-a.slice", ".slice", "a/b.slice"]) {
    assertThrows(
      () => slicePath(slice),
      Error,
      `linux.cgroupsPath: use slice "${slice}": it is no name of a slice, like "machine.slice" ` +
        'or "machine-web.slice"',
    );
  }
});

const RESOURCES: Resources = {
  memory: { limit: 1000, swap: 1500, reservation: 500 },
  cpu: { shares: 1024, quota: 25500, period: 50000, cpus: "0-1,9", mems: "0" },
  pids: { limit: -1 },
};

Deno.test("settingProperties tells systemd what it has a property for, v2", () => {
  const resources: Resources = {
    ...RESOURCES,
    blockIO: {
      weight: 10,
      weightDevice: [{ major: 8, minor: 0, weight: 1000 }],
      throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 5 }, { major: 8, minor: 16, rate: 0 }],
    },
    unified: { "memory.high": "900" },
  };
  assertEquals(settingProperties(settingsV2(resources, "", () => undefined)), [
    ["AllowedCPUs", ["ay", new Uint8Array([3, 2])]],
    ["AllowedMemoryNodes", ["ay", new Uint8Array([1])]],
    ["MemoryMax", ["t", 1000n]],
    ["MemorySwapMax", ["t", 500n]],
    ["MemoryLow", ["t", 500n]],
    ["CPUWeight", ["t", 100n]],
    ["CPUQuotaPeriodUSec", ["t", 50000n]],
    ["CPUQuotaPerSecUSec", ["t", 510000n]],
    ["TasksMax", ["t", INFINITY]],
    ["MemoryHigh", ["t", 900n]],
    ["IOWeight", ["t", 1n]],
    ["IODeviceWeight", ["a(st)", [["/dev/block/8:0", 10000n]]]],
    ["IOReadBandwidthMax", ["a(st)", [["/dev/block/8:0", 5n], ["/dev/block/8:16", INFINITY]]]],
  ]);
});

Deno.test("settingProperties tells systemd what it has a property for, v1", () => {
  assertEquals(settingProperties(settingsV1({ ...RESOURCES, blockIO: { weight: 300 } }, "")), [
    ["AllowedCPUs", ["ay", new Uint8Array([3, 2])]],
    ["AllowedMemoryNodes", ["ay", new Uint8Array([1])]],
    ["MemoryLimit", ["t", 1000n]],
    ["CPUShares", ["t", 1024n]],
    ["TasksMax", ["t", INFINITY]],
    ["BlockIOWeight", ["t", 300n]],
    ["CPUQuotaPeriodUSec", ["t", 50000n]],
    ["CPUQuotaPerSecUSec", ["t", 510000n]],
  ]);
});

Deno.test("settingProperties: a quota in whole percents, and idle in place of a weight", () => {
  const quota = (cpu: Resources["cpu"] & object) =>
    settingProperties(settingsV2({ cpu }, "", () => undefined));
  assertEquals(quota({ quota: 12345, period: 100000 })[1], ["CPUQuotaPerSecUSec", ["t", 130000n]]);
  assertEquals(quota({ quota: -1 })[1], ["CPUQuotaPerSecUSec", ["t", INFINITY]]);
  assertEquals(quota({ shares: 2, idle: 1 }), [["CPUWeight", ["t", 0n]]]);
  assertEquals(quota({ shares: 2, idle: 0 }), [["CPUWeight", ["t", 1n]]]);
});

Deno.test("nodeOf names devices as systemd does", () => {
  const groups = "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n  8 sd\n";
  assertEquals(nodeOf("c 1:3", groups), "/dev/char/1:3");
  assertEquals(nodeOf("c 136:*", groups), "char-pts");
  assertEquals(nodeOf("b 8:*", groups), "block-sd");
  assertEquals(nodeOf("c 8:*", groups), undefined);
  assertEquals(nodeOf("b *:*", groups), "block-*");
  assertEquals(nodeOf("c *:3", groups), undefined);
});

Deno.test("deviceProperties: strict with a list, or everything", () => {
  const rules = [{ allow: true, type: "b" as const, major: 8, minor: 0, access: "r" }];
  const [policy, list] = deviceProperties({ devices: rules }, "");
  assertEquals(policy, ["DevicePolicy", ["s", "strict"]]);
  const [name, [type, entries]] = list!;
  assertEquals([name, type, (entries as string[][])[0]], ["DeviceAllow", "a(ss)", [
    "/dev/block/8:0",
    "r",
  ]]);
  assertEquals(deviceProperties({ devices: [{ allow: true }] }, ""), [
    ["DevicePolicy", ["s", "auto"]],
    ["DeviceAllow", ["a(ss)", []]],
  ]);
});

Deno.test("parseVariant reads what GVariant writes", () => {
  const cases: Record<string, unknown> = {
    "true": ["b", true],
    "'text'": ["s", "text"],
    '"a \\"b\\""': ["s", 'a "b"'],
    "42": ["i", 42n],
    "uint64 18446744073709551615": ["t", INFINITY],
    "int64 -1": ["x", -1n],
    "int64 -0x10": ["x", -16n],
    "uint64 +0xff": ["t", 255n],
    "double 1.5": ["d", 1.5],
    "['a', 'b,c']": ["as", ["a", "b,c"]],
  };
  for (const [text, value] of Object.entries(cases)) {
    assertEquals(parseVariant(text, "p"), value, text);
  }
});

Deno.test("parseVariant refuses the rest", () => {
  for (const text of ["plain", "'open", "[1, 2]", "foo 5", ""]) {
    const error = assertThrows(() => parseVariant(text, "annotations[x]"), Error);
    assertEquals(
      error.message,
      `annotations[x]: read ${JSON.stringify(text)}: it is no value that GVariant writes: ` +
        "as 'text', true, uint64 5 or ['a', 'b']",
    );
  }
});

Deno.test("annotationProperties: seconds become microseconds, other annotations are left alone", () => {
  const annotations = {
    "org.systemd.property.TimeoutStopSec": "uint32 3",
    "org.systemd.property.TimeoutStopUSec": "uint64 123",
    "org.systemd.property.CollectMode": "'inactive-or-failed'",
    "org.example": "x",
  };
  assertEquals(annotationProperties(annotations), [
    ["TimeoutStopUSec", ["t", 3000000n]],
    ["TimeoutStopUSec", ["t", 123n]],
    ["CollectMode", ["s", "inactive-or-failed"]],
  ]);
  assertThrows(
    () => annotationProperties({ "org.systemd.property.No-Name": "1" }),
    Error,
    'annotations["org.systemd.property.No-Name"]: set property "No-Name" of the unit: its name ' +
      "is made of other characters than letters",
  );
});

Deno.test("heldByUnit: a quota in whole percents, with the period that the files have", () => {
  const v2 = (file: string) => ({ "cpu.max": "41000 50000", "cpu.idle": "1" })[file];
  const v1 = (file: string) =>
    ({ "cpu.cfs_quota_us": "41000", "cpu.cfs_period_us": "50000" })[file];
  const none = () => undefined;
  const cases: [
    cpu: Resources["cpu"] & object,
    current: typeof v2,
    quota: bigint,
    period: bigint,
  ][] = [
    [{ quota: 600000, period: 900000 }, none, 603000n, 900000n],
    [{ quota: 1 }, none, 1000n, 100000n],
    [{ quota: 12345 }, v2, 12500n, 50000n],
    [{ quota: 12345 }, v1, 12500n, 50000n],
    [{ period: 100000 }, v2, 41000n, 100000n],
    [{ period: 100000 }, v1, 41000n, 100000n],
    [{ period: 20000 }, none, -1n, 100000n],
    [{ quota: -1 }, v1, -1n, 100000n],
  ];
  for (const [cpu, current, quota, period] of cases) {
    assertEquals(heldByUnit({ cpu }, current), { cpu: { quota, period } });
  }
  assertEquals(heldByUnit({ cpu: { idle: 0 } }, v2), { cpu: { idle: 0, shares: 1024 } });
  assertEquals(heldByUnit({ cpu: { idle: 0, shares: 5 } }, v2), { cpu: { idle: 0, shares: 5 } });
  assertEquals(heldByUnit({ cpu: { shares: 5 } }, v2), { cpu: { shares: 5 } });
  for (
    const [text, expected] of [["600000 900000", "603000 900000"], ["1", "1000 100000"], [
      "max 5",
      "max 100000",
    ]]
  ) {
    assertEquals(heldByUnit({ unified: { "cpu.max": text! } }, none), {
      unified: { "cpu.max": expected! },
    });
  }
  for (const text of ["max 100000", "nonsense", "max all", "5 0"]) {
    assertEquals(heldByUnit({ unified: { "cpu.max": text } }, none).unified, { "cpu.max": text });
  }
});

Deno.test("inBfqWeights: systemd makes of them what was asked for", () => {
  // BFQ_WEIGHT of systemd's cgroup.h
  const converted = (weight: number) =>
    weight <= 100 ? weight : 100 + Math.floor(((weight - 100) * 900) / 9900);
  for (const weight of [10, 99, 100, 101, 500, 999, 1000]) {
    const settings = inBfqWeights(settingsV2({ blockIO: { weight } }, "", () => undefined));
    const [[name, [, value]] = ["", ["", 0]]] = settingProperties(settings);
    assertEquals([name, converted(Number(value))], ["IOWeight", weight]);
  }
  const v1 = (weight: number) =>
    settingProperties(inBfqWeights(settingsV1({ blockIO: { weight } }, "")));
  assertEquals(v1(150), [["BlockIOWeight", ["t", 650n]]]);
  assertEquals(v1(500), [["BlockIOWeight", ["t", 1000n]]]);
});

Deno.test("settingProperties: shares that systemd would refuse are the nearest that it takes", () => {
  const shares = (value: number) => settingProperties(settingsV1({ cpu: { shares: value } }, ""));
  assertEquals(shares(1), [["CPUShares", ["t", 2n]]]);
  assertEquals(shares(262145), [["CPUShares", ["t", 262144n]]]);
});
