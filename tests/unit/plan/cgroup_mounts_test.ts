import { assertEquals } from "@std/assert";
import type { CgroupHierarchy } from "../../../lib/plan/plan.ts";
import { HOST, opsOf, planOf } from "../../support/plan.ts";
import { withNamespaces } from "../../support/spec.ts";

const V1: CgroupHierarchy = {
  mountPoint: "/sys/fs/cgroup/pids",
  controllers: ["pids"],
  directory: "/sys/fs/cgroup/pids/box",
};
const V2: CgroupHierarchy = {
  mountPoint: "/sys/fs/cgroup/unified",
  controllers: [],
  directory: "/sys/fs/cgroup/unified/box",
};

/** Flags and parameters of the filesystems that a mount makes, and the warnings. */
function made(type: string, hierarchies: readonly CgroupHierarchy[], fresh: boolean) {
  const options = ["ro", "sync", "xattr", "nonsense=1"];
  const plan = planOf({
    mounts: [{ destination: "/cg", type, source: "cgroup", options }],
    "linux.namespaces": fresh ? withNamespaces("cgroup") : withNamespaces(),
  }, { host: { ...HOST, cgroups: () => hierarchies } });
  const made = opsOf(plan, "mount").filter(({ fstype }) => fstype.startsWith("cgroup"))
    .map(({ fstype, superblock, data }) => [fstype, superblock.join(), data.join()]);
  return [made, plan.warnings];
}

Deno.test("mounts: cgroup filesystems get the options that runts does not know", () => {
  const version2 = ["cgroup2", "ro,sync", "xattr,nonsense=1"];
  assertEquals(made("cgroup2", [V1, V2], true), [[version2], []]);
  assertEquals(made("cgroup", [V2], true), [[version2], []]);
  assertEquals(made("cgroup", [V1, V2], true), [
    [["cgroup", "ro,sync", "pids,xattr,nonsense=1"], ["cgroup2", "ro,sync", ""]],
    [],
  ]);
});

Deno.test("mounts: a view of the host's cgroups takes no options, which is a warning", () => {
  const warnings = (type: string) =>
    ["xattr", "nonsense=1"].map((option) =>
      `mounts[0]: "${option}" is left out: the container gets a view of the host's ${type}`
    );
  assertEquals(made("cgroup2", [V1, V2], false), [[], warnings("cgroup2")]);
  assertEquals(made("cgroup", [V2], false), [[], warnings("cgroup")]);
  assertEquals(made("cgroup", [V1, V2], false), [[], warnings("cgroup")]);
});

Deno.test("mounts: a view of the host's sysfs takes no options, which is a warning", () => {
  const map = [{ containerID: 0, hostID: 100000, size: 1000 }];
  const plan = planOf({
    mounts: [{ destination: "/sys", type: "sysfs", options: ["ro", "nonsense"] }],
    "linux.namespaces": withNamespaces("user").filter(({ type }) => type !== "network"),
    "linux.uidMappings": map,
    "linux.gidMappings": map,
  });
  assertEquals(plan.warnings, [
    `mounts[0]: "nonsense" is left out: the container gets a view of the host's sysfs`,
  ]);
});
