/** When the process enters its cgroup: as late as nobody minds. */

import { assertEquals } from "@std/assert";
import type { CgroupHierarchy, ContainerInput } from "../../../lib/plan/plan.ts";
import { HOST, planOf } from "../../support/plan.ts";
import { type Json, withNamespaces } from "../../support/spec.ts";

const V1: CgroupHierarchy = {
  mountPoint: "/sys/fs/cgroup/pids",
  controllers: ["pids"],
  directory: "/sys/fs/cgroup/pids/box",
};
const INPUT: Partial<ContainerInput> = {
  cgroup: { files: ["/sys/fs/cgroup/pids/box/tasks"], moved: false },
  host: { ...HOST, cgroups: () => [V1] },
  unattended: true,
};
const TMPFS = { destination: "/tmp", type: "tmpfs", source: "tmpfs" };
const CGROUPS = { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup" };
const BOUND = { destination: "/pids", source: "/sys/fs/cgroup/pids/all", options: ["bind"] };

/** What is made around the entry, in order: the clone, mounts by their destinations, devices, the affinity. */
function order(changes: Json, input: Partial<ContainerInput> = {}): string {
  const plan = planOf(
    { mounts: [TMPFS], "linux.namespaces": withNamespaces("cgroup"), ...changes },
    { ...INPUT, ...input },
  );
  const words = plan.ops.flatMap((op) => {
    if (op.op === "mount") return [op.destination];
    return ["clone", "join_cgroup", "unshare", "affinity", "device"].includes(op.op) ? [op.op] : [];
  });
  return words.filter((word, index) => word !== words[index - 1]).join(" ");
}

Deno.test("the cgroup is entered behind the mounts, and before the devices, whose rules it has", () => {
  assertEquals(order({}), "clone /tmp join_cgroup unshare affinity device");
});

Deno.test("mounts that show cgroups come behind the entry", () => {
  const entered = "clone /tmp /sys/fs/cgroup join_cgroup unshare affinity " +
    "/sys/fs/cgroup/pids /late device";
  const late = { ...TMPFS, destination: "/late" };
  assertEquals(order({ mounts: [TMPFS, CGROUPS, late] }), entered);
  assertEquals(
    order({ mounts: [TMPFS, BOUND, late] }),
    "clone /tmp join_cgroup unshare affinity /pids /late device",
  );
});

Deno.test("the cgroup is entered at once where somebody acts on it, or memory of it is taken", () => {
  const early = "clone join_cgroup unshare affinity /tmp device";
  const copied = { ...TMPFS, options: ["tmpcopyup"] };
  assertEquals(order({}, { unattended: false }), early);
  assertEquals(order({ mounts: [copied] }), early);
  const born = { cgroup: { bornIn: "/sys/fs/cgroup/box", files: [], moved: false } };
  assertEquals(order({}, born), "clone unshare affinity /tmp device");
});
