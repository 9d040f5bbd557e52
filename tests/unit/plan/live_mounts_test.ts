import { assertEquals, assertThrows } from "@std/assert";
import { NAMESPACE_FLAGS } from "../../../lib/base/linux.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { describeOp } from "../../../lib/plan/describe.ts";
import {
  type LiveInput,
  planAddedMount,
  planRemovedMounts,
} from "../../../lib/plan/live_mounts.ts";
import type { Plan } from "../../../lib/plan/plan.ts";
import { SLOTS_MAX } from "../../../lib/wire/ops.ts";

const HOST = { euid: 0, inUserNamespace: false, cgroups: () => [] };
const LIVE: LiveInput = {
  id: "c",
  spec: { ociVersion: "1.0.0", root: { path: "rootfs" } },
  bundle: "/b",
  pid: 7,
  host: HOST,
  namespaces: NAMESPACE_FLAGS.mount | NAMESPACE_FLAGS.pid,
};
const MAP = [{ containerID: 0, hostID: 100_000, size: 1000 }];
const MAPPED: LiveInput = {
  ...LIVE,
  spec: { ...LIVE.spec, linux: { uidMappings: MAP, gidMappings: MAP } },
  namespaces: LIVE.namespaces | NAMESPACE_FLAGS.user,
};

function lines({ ops }: Plan): string[] {
  return ops.map((op) => `${op.from}${op.from && ": "}${describeOp(op)}`);
}

Deno.test("a source is opened on the host, and put in its place in the container", () => {
  const mount = { destination: "data", source: "volume", options: ["rbind", "ro"] };
  const plan = planAddedMount(LIVE, mount, 2);
  assertEquals(lines(plan), [
    "leave out mounts that hold a mount namespace",
    "mounts[2]: open bind source /b/volume with the mounts below",
    "hide the process",
    "join mount namespace",
    "root.path: open root filesystem /",
    "mounts[2]: bind /b/volume with the mounts below on /data (ro)",
    "report that all is ready",
  ]);
  assertEquals(plan.slots, [{ kind: "pidfd" }]);
});

Deno.test("in a user namespace it is made as its root, which maps the ids", () => {
  const mount = { destination: "/data", source: "/v", options: ["bind", "idmap"] };
  const plan = planAddedMount(MAPPED, mount, 0);
  assertEquals(lines(plan), [
    "open user namespace /proc/7/ns/user",
    "leave out mounts that hold a mount namespace",
    "mounts[0]: open bind source /v, ids mapped",
    "hide the process",
    "join mount namespace if that is permitted yet",
    "join user namespace",
    "join mount namespace",
    "become user 0, group 0",
    "root.path: open root filesystem /",
    "mounts[0]: bind /v on /data",
    "report that all is ready",
  ]);
  const tree = plan.ops.find((op) => op.op === "open_tree");
  assertEquals([tree?.slot, tree?.idmap], [SLOTS_MAX + 1, SLOTS_MAX]);
});

Deno.test("a tmpfs that is read-only becomes so at the end", () => {
  const mount = { destination: "/t", type: "tmpfs", source: "tmpfs", options: ["ro"] };
  assertEquals(lines(planAddedMount(LIVE, mount, 0)).slice(-3), [
    "mounts[0]: mount tmpfs on /t",
    "mounts[0]: remount /t (ro)",
    "report that all is ready",
  ]);
});

Deno.test("options that clear what is below a source are for the kernel to refuse, but for user namespaces", () => {
  const mountsBelow = () => [{ path: "/v/below", options: "ro" }];
  const mount = { destination: "/data", source: "/v", options: ["rbind", "rrw"] };
  planAddedMount({ ...LIVE, host: { ...HOST, mountsBelow } }, mount, 0);
  const error = assertThrows(
    () => planAddedMount({ ...MAPPED, host: { ...HOST, mountsBelow } }, mount, 0),
    RuntsError,
  );
  assertEquals(
    error.message,
    'mounts[0]: bind "/v" on "/data": "rrw" is refused: the user namespace locks the attributes of ' +
      '"/v/below"',
  );
});

Deno.test("other filesystems, and what only create sees to, are refused", () => {
  const only = "mounts[1]: only bind mounts and tmpfs can be added to a container that exists";
  const refused = (options: string[], type = "none") => {
    const mount = { destination: "/x", source: "/v", type, options };
    return assertThrows(() => planAddedMount(LIVE, mount, 1), RuntsError).message;
  };
  const without = `${only}: without the options "remount" and "copy-symlink"`;
  assertEquals(refused([], "cgroup"), only);
  assertEquals(refused(["remount", "ro"]), without);
  assertEquals(refused(["bind", "copy-symlink"]), without);
});

Deno.test("nothing is mounted over what /proc tells", () => {
  const mount = { destination: "/proc/self", source: "/v", options: ["bind"] };
  const error = assertThrows(() => planAddedMount(LIVE, mount, 0), RuntsError);
  assertEquals(
    error.message.split(":").slice(0, 3).join(":"),
    'mounts[0].destination: mount on "/proc/self": it lies in a procfs',
  );
});

Deno.test("mounts are taken away by their place alone", () => {
  const removed = ["/data/below", "data"].map((destination, index) => ({
    mount: { destination },
    index: 1 - index,
  }));
  assertEquals(lines(planRemovedMounts(LIVE, removed)), [
    "hide the process",
    "join mount namespace",
    "root.path: open root filesystem /",
    "mounts[1]: unmount /data/below",
    "mounts[0]: unmount /data",
    "report that all is ready",
  ]);
});
