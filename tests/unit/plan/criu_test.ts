import { assertEquals } from "@std/assert";
import { planCriu } from "../../../lib/plan/criu.ts";
import { MountAttr } from "../../../lib/spec/values/mount_options.ts";
import { SLOTS_MAX } from "../../../lib/wire/ops.ts";

const HOST = { euid: 0, inUserNamespace: false, cgroups: () => [] };
const PROGRAM = { host: HOST, program: "criu", search: "/bin", env: ["PATH=/bin"] };

Deno.test("criu gets its end of the conversation as 3, and nothing is made for a checkpoint", () => {
  const { ops, slots } = planCriu({ ...PROGRAM, given: ["conversation"] });
  assertEquals(slots, [{ kind: "given", name: "conversation" }]);
  assertEquals(ops.map(({ op }) => op), ["inherit", "find_program", "sync", "exec"]);
  assertEquals(ops[0], { op: "inherit", from: "", slots: [0] });
  assertEquals(ops.at(-1), {
    op: "exec",
    from: "",
    args: ["criu", "swrk", "3"],
    env: ["PATH=/bin"],
    home: -1,
    self_pid: 0,
  });
});

Deno.test("a restore has its cgroup, a mount namespace, its root and its mount points", () => {
  const { ops } = planCriu({
    ...PROGRAM,
    given: ["conversation", "console"],
    restore: {
      bundle: "/b",
      spec: {
        ociVersion: "1.0.0",
        root: { path: "rootfs" },
        mounts: [
          { destination: "/proc", type: "proc" },
          { destination: "/dev", type: "tmpfs" },
          { destination: "/dev/data", source: "/data", options: ["bind"] },
          { destination: "/data", source: "data", options: ["rbind", "ro"] },
          { destination: "/data/below", type: "bind", source: "/x" },
        ],
      },
      cgroup: { files: ["/sys/fs/cgroup/pids/c/tasks"], moved: false },
      place: "/run/runts/c/criu-root",
      placeMount: "/run",
      namespaces: [{ kind: 0x40000000, path: "/ns/net", from: "linux.namespaces[0].path" }],
    },
  });
  assertEquals(ops.map(({ op }) => op), [
    ...["open_ns", "clone", "join_cgroup", "open_tree", "propagation", "rootfs", "mount", "rootfs"],
    ...["mkdir", "mkdir", "mount", "mount"],
    ...["inherit", "find_program", "sync", "exec"],
  ]);
  const points = ops.flatMap((op) =>
    op.op === "mkdir" ? [op.path] : op.op === "mount" ? [`${op.source} ${op.destination}`] : []
  );
  assertEquals(points, [
    "/b/rootfs /run/runts/c/criu-root",
    "/proc",
    "/dev",
    "/b/data /data",
    "/x /data/below",
  ]);
  const readOnly = ops.filter((op) => op.op === "mount" && op.attr_set === MountAttr.rdonly);
  assertEquals(readOnly.map((op) => op.from), ["mounts[3]"]);
  const inherit = ops.find(({ op }) => op === "inherit");
  assertEquals(inherit, { op: "inherit", from: "", slots: [0, 1, SLOTS_MAX] });
});
