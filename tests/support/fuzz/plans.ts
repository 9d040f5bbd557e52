/** What is done with a valid document: plans for several hosts, and all that follows from them. */

import { assert, assertEquals } from "@std/assert";
import { describeOp } from "../../../lib/plan/describe.ts";
import { encodePlan } from "../../../lib/wire/encode.ts";
import { planContainer } from "../../../lib/plan/container.ts";
import { planExec } from "../../../lib/plan/exec.ts";
import type { CgroupHierarchy, Plan, PlanHost, ProcessOptions } from "../../../lib/plan/plan.ts";
import type { Process, Spec } from "../../../lib/spec/types/config.ts";
import { checkError, isOneLine } from "./answer.ts";
import { BUILD_ID, decodePlan } from "../plan.ts";

const UNIFIED: CgroupHierarchy = {
  mountPoint: "/sys/fs/cgroup",
  controllers: [],
  directory: "/sys/fs/cgroup/box",
};
const LEGACY: CgroupHierarchy[] = ["cpu", "memory"].map((name) => ({
  mountPoint: `/sys/fs/cgroup/${name}`,
  controllers: [name],
  directory: `/sys/fs/cgroup/${name}/box`,
}));

const HOSTS: readonly PlanHost[] = [
  { euid: 0, inUserNamespace: false, cgroups: () => [UNIFIED] },
  { euid: 0, inUserNamespace: true, cgroups: () => LEGACY },
  { euid: 1000, inUserNamespace: false, cgroups: () => [...LEGACY, UNIFIED] },
];

const MAPS = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

/** What a document may ask for that is sound by itself, and that a host or init cannot do. */
const REFUSALS: readonly RegExp[] = [
  /supplementary groups cannot be set: setgroups is denied in the user namespace/,
  /^the container needs more than \d+ descriptors to be made$/,
  /^a plan of \d+ bytes exceeds \d+$/,
  /^linux\.devices\[\d+\]\.[ug]id: \d+ is not mapped by linux\.[ug]idMappings$/,
  /^linux\.devices\[\d+\]\.path: ".*" lies in \/proc, where there can be no devices$/,
  /^mounts\[\d+\]\.destination: mount .*: (?:it lies in a procfs: |only a procfs may lie there$)/,
];

/** Plans what is valid: there is a plan, or one of a few reasons why not. Says which. */
export function planned(plan: () => void): string {
  try {
    plan();
    return "planned";
  } catch (error) {
    const shape = checkError(error);
    const { message } = error as Error;
    assert(REFUSALS.some((refusal) => refusal.test(message)), `valid, but no plan: ${message}`);
    return shape;
  }
}

/** With the id maps that runts chooses where a user namespace has none. */
function completed(spec: Spec): Spec {
  const { namespaces, uidMappings, gidMappings } = spec.linux ?? {};
  const isNew = namespaces?.some(({ type, path }) => type === "user" && !path);
  if (!isNew || uidMappings?.length || gidMappings?.length) return spec;
  return { ...spec, linux: { ...spec.linux, uidMappings: MAPS, gidMappings: MAPS } };
}

function optionsFor(spec: Spec, process: Process | undefined): ProcessOptions {
  return {
    console: process?.terminal === true,
    preserveFds: 0,
    noNewKeyring: false,
    ...(spec.linux?.seccomp && {
      seccomp: { flags: 0, filter: new Uint8Array(8), notify: false },
    }),
  };
}

/** The plans of a container, encoded. Throws as the planner does. */
export function plansOf(document: Spec): Uint8Array[] {
  const spec = completed(document);
  return HOSTS.map((host) =>
    checkPlan(planContainer({
      ...optionsFor(spec, spec.process),
      id: "box",
      spec,
      bundle: "/bundle",
      host,
      cgroup: { files: ["/sys/fs/cgroup/box/cgroup.procs"], moved: false },
      noPivot: false,
    }))
  );
}

/** The plans of one more process in a container, encoded. */
export function execPlansOf(spec: Spec, process: Process): Uint8Array[] {
  return HOSTS.map((host) =>
    checkPlan(planExec({
      ...optionsFor(spec, process),
      id: "box",
      spec,
      process,
      host,
      cgroup: { bornIn: "/sys/fs/cgroup/box", files: [], moved: false },
      namespaces: host.inUserNamespace ? 0x10020000 : 0x20000,
    }))
  );
}

/** Every operation can be printed, and init reads what was written. */
function checkPlan({ ops }: Plan): Uint8Array {
  for (const op of ops) {
    const line = describeOp(op);
    assert(line !== "" && isOneLine(line), JSON.stringify(line));
    assert(isOneLine(op.from), JSON.stringify(op.from));
  }
  const bytes = encodePlan(ops, BUILD_ID);
  assertEquals(decodePlan(bytes).map(({ op }) => op), ops.map(({ op }) => op));
  return bytes;
}
