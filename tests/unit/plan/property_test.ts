import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isRuntsError } from "../../../lib/base/errors.ts";
import { describeOp } from "../../../lib/plan/describe.ts";
import { encodePlan } from "../../../lib/wire/encode.ts";
import type { Op } from "../../../lib/wire/ops.ts";
import type { ContainerInput, ContainerPlan } from "../../../lib/plan/plan.ts";
import { planContainer } from "../../../lib/plan/container.ts";
import { SpecError } from "../../../lib/spec/json/document.ts";
import { NAMESPACE_TYPES, ROOTFS_PROPAGATIONS } from "../../../lib/spec/values/names.ts";
import { MOUNT_OPTIONS } from "../../../lib/spec/values/mount_options.ts";
import { RLIMITS } from "../../../lib/spec/values/rlimits.ts";
import { CAPABILITIES } from "../../../lib/spec/values/capabilities.ts";
import { asksForMaps, BUILD_ID, decodePlan, HOST, opsOf, specOf } from "../../support/plan.ts";

const PATH = fc.array(fc.constantFrom("a", "b", "proc", "dev", "sys"), { maxLength: 3 })
  .map((parts) => `/${parts.join("/")}`);
const TEXT = fc.string().filter((text) => !text.includes("\0"));
const SOME_CAPS = fc.subarray([...CAPABILITIES, "CAP_UNKNOWN"]);
const ID = fc.integer({ min: 0, max: 0xfffffffe });

const MOUNT = fc.record({
  destination: PATH,
  source: PATH,
  type: fc.constantFrom("proc", "tmpfs", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", "bind"),
  options: fc.array(
    fc.oneof(
      fc.constantFrom(...Object.keys(MOUNT_OPTIONS).filter((name) => !name.endsWith("idmap"))),
      fc.constantFrom("mode=755", "gid=5", "size=1k"),
    ),
    { maxLength: 5 },
  ),
});

const MAP = [{ containerID: 0, hostID: 1000, size: 65536 }];

const MAPPED = fc.constantFrom(
  { options: ["bind", "idmap"] },
  { options: ["rbind", "ridmap"], uidMappings: MAP, gidMappings: MAP },
  { options: ["bind", "idmap=uids=0-1-1;gids=@0-1-1"] },
).map((mount) => ({ destination: "/mapped", source: "/data", ...mount }));

const SPEC = fc.record({
  mounts: fc.tuple(fc.array(MOUNT, { maxLength: 6 }), fc.array(MAPPED, { maxLength: 1 }))
    .map((lists) => lists.flat()),
  "process.user": fc.record({ uid: ID, gid: ID, additionalGids: fc.array(ID, { maxLength: 3 }) }),
  "process.env": fc.array(TEXT.map((text) => `A=${text}`), { maxLength: 5 }),
  "process.args": fc.array(TEXT.filter((text) => text !== ""), { minLength: 1, maxLength: 3 }),
  "process.noNewPrivileges": fc.boolean(),
  "process.terminal": fc.boolean(),
  "process.capabilities": fc.record({
    bounding: SOME_CAPS,
    effective: SOME_CAPS,
    permitted: SOME_CAPS,
    inheritable: SOME_CAPS,
    ambient: SOME_CAPS,
  }),
  "process.rlimits": fc.subarray([...RLIMITS]).map((types) =>
    types.map((type, index) => ({ type, soft: index, hard: index * 1000 }))
  ),
  "root.readonly": fc.boolean(),
  "linux.rootfsPropagation": fc.option(fc.constantFrom(...ROOTFS_PROPAGATIONS), { nil: undefined }),
  "linux.namespaces": fc.subarray([...NAMESPACE_TYPES]).chain((types) =>
    fc.tuple(
      ...types.map((type) =>
        fc.boolean().map((join) => join ? { type, path: `/ns/${type}` } : { type })
      ),
    )
  ),
  hooks: fc.record({
    createContainer: fc.array(fc.record({ path: fc.constant("/h") }), { maxLength: 2 }),
    startContainer: fc.array(fc.record({ path: fc.constant("/h") }), { maxLength: 2 }),
  }),
});

const INPUT = fc.record({
  euid: fc.constantFrom(0, 1000),
  inUserNamespace: fc.boolean(),
  legacy: fc.boolean(),
  bornIn: fc.boolean(),
  files: fc.array(fc.constant("/cg/tasks"), { maxLength: 3 }),
  moved: fc.boolean(),
  notify: fc.boolean(),
  seccomp: fc.boolean(),
  listener: fc.boolean(),
  noPivot: fc.boolean(),
});

type Choice = typeof INPUT extends fc.Arbitrary<infer T> ? T : never;

function input(changes: Record<string, unknown>, choice: Choice): ContainerInput {
  const user = (changes["linux.namespaces"] as { type: string; path?: string }[])
    .some(({ type, path }) => type === "user" && path === undefined);
  const spec = specOf({
    ...changes,
    hostname: undefined,
    "linux.maskedPaths": undefined,
    "linux.readonlyPaths": undefined,
    ...(user && { "linux.uidMappings": MAP, "linux.gidMappings": MAP }),
  });
  const unified = { mountPoint: "/cg/unified", controllers: [], directory: "/cg/unified/a" };
  const cpu = { mountPoint: "/cg/cpu", controllers: ["cpu"], directory: "/cg/cpu/a" };
  return {
    id: "a",
    spec,
    bundle: "/bundle",
    host: { ...HOST, ...choice, cgroups: () => choice.legacy ? [cpu, unified] : [unified] },
    cgroup: {
      files: choice.files,
      moved: choice.moved,
      ...(choice.bornIn && { bornIn: "/cg/unified/a" }),
    },
    noPivot: choice.noPivot,
    noNewKeyring: false,
    console: true,
    preserveFds: 0,
    ...(choice.notify && { notifyDirectory: "/state/notify" }),
    ...(choice.seccomp &&
      { seccomp: { flags: 0, filter: new Uint8Array(8), notify: choice.listener } }),
  };
}

/** The plan, or undefined where the document or the request is refused in words. */
function tryPlan(changes: Record<string, unknown>, choice: Choice): ContainerPlan | undefined {
  try {
    return planContainer(input(changes, choice));
  } catch (error) {
    assert(isRuntsError(error) || error instanceof SpecError, String(error));
    return undefined;
  }
}

/** Whether a namespace is to be made. */
function isNew(changes: Record<string, unknown>, type: string): boolean {
  const namespaces = changes["linux.namespaces"] as { type: string; path?: string }[];
  return namespaces.some((one) => one.type === type && !one.path);
}

/** Slots that an operation uses, and the one that it fills. */
function slotsOf(op: Op): { used: number[]; filled: number[] } {
  switch (op.op) {
    case "open_ns":
      return { used: [], filled: [op.slot] };
    case "open_tree":
      return { used: [op.idmap], filled: [op.slot] };
    case "clone":
      return { used: [op.cgroup], filled: [] };
    case "wait_start":
      return { used: [op.fifo, op.result], filled: [] };
    case "setns":
    case "join_cgroup":
    case "rootfs":
    case "mount":
    case "console":
      return { used: [op.slot], filled: [] };
    default:
      return { used: [], filled: [] };
  }
}

Deno.test("planContainer: a plan or words, and the plan is one that init can perform", () => {
  let plans = 0;
  fc.assert(
    fc.property(SPEC, INPUT, (changes, choice) => {
      const plan = tryPlan(changes, choice);
      if (plan === undefined) return;
      plans++;
      const { ops } = plan;
      assertEquals(ops.at(-1)!.op, "exec");
      assertEquals(
        opsOf(plan, "clone").length,
        isNew(changes, "user") && isNew(changes, "time") ? 2 : 1,
      );
      assertEquals(asksForMaps(plan), isNew(changes, "user"));
      const known = new Set(plan.slots.map((_, index) => index));
      for (const op of ops) {
        const { used, filled } = slotsOf(op);
        for (const slot of used) assert(slot === -1 || known.has(slot), `${op.op} uses ${slot}`);
        for (const slot of filled) assert(!known.has(slot), `${op.op} fills ${slot} again`);
        filled.forEach((slot) => known.add(slot));
        const line = describeOp(op);
        assert(line !== "" && !line.includes("\n"), line);
      }
      assertEquals(
        decodePlan(encodePlan(ops, BUILD_ID)).map(({ op }) => op),
        ops.map(({ op }) => op),
      );
    }),
    { numRuns: 300 },
  );
  assert(plans > 50, `only ${plans} of the documents were valid`);
});
