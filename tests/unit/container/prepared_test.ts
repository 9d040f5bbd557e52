import { assertEquals } from "@std/assert";
import { preparedRecord } from "../../../lib/container/prepared.ts";
import type { Spec } from "../../../lib/spec/types/config.ts";
import { StateDirectory } from "../../../lib/state/directory.ts";
import { formatStatus, type Status } from "../../../lib/state/status.ts";
import { PreparedFlag } from "../../../lib/wire/prepared.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";

const DIRECTORY = new StateDirectory(new Runtime({ root: "/nonexistent" }), "web");
const CONFIG = { inode: 1, size: 2, mtime: 3 };
const FRONT = "f".repeat(32);
const V1 = {
  devices: "/sys/fs/cgroup/devices/web",
  "": "/sys/fs/cgroup/unified/web",
  cpu: "/sys/fs/cgroup/cpu,cpuacct/web",
  cpuacct: "/sys/fs/cgroup/cpu,cpuacct/web",
  freezer: "/sys/fs/cgroup/freezer/web",
};

const STATUS: Status = {
  pid: 4711,
  startTime: 12,
  cgroupPath: "/web",
  scope: "",
  rootfs: "rootfs",
  systemdCgroup: false,
  bundle: "/srv/web",
  created: "2026-01-02T03:04:05.678Z",
  owner: "root",
  detached: true,
  externalDescriptors: [],
  annotations: { odd: '\n  "pid": 0,\n  "status": "stopped"' },
  bootId: "boot",
  cgroup: {
    kind: "v1",
    path: "/web",
    paths: V1,
    inodes: { devices: 1, "": 2, cpu: 3, cpuacct: 3, freezer: 4 },
  },
};

const SPEC = {
  linux: { namespaces: [{ type: "pid" }, { type: "mount" }] },
} as unknown as Spec;

const record = (status: Partial<Status> = {}, spec: unknown = SPEC) =>
  preparedRecord(DIRECTORY, { ...STATUS, ...status }, spec as Spec, CONFIG, FRONT);

Deno.test("a record has all that the front goes by", () => {
  const { beforePid, beforeState, afterState, ...rest } = record();
  assertEquals(rest, {
    flags: PreparedFlag.ownPids,
    front: FRONT,
    bootId: "boot",
    pid: 4711,
    startTime: 12,
    config: CONFIG,
    stopSignal: 15,
    // Members are looked for in the first two; a hierarchy of two controllers is one.
    cgroups: [
      { inode: 4, path: "/sys/fs/cgroup/freezer/web" },
      { inode: 2, path: "/sys/fs/cgroup/unified/web" },
      { inode: 1, path: "/sys/fs/cgroup/devices/web" },
      { inode: 3, path: "/sys/fs/cgroup/cpu,cpuacct/web" },
    ],
    status: formatStatus(STATUS),
    freezerState: "/sys/fs/cgroup/freezer/web/freezer.state",
    cgroupFreeze: "/sys/fs/cgroup/unified/web/cgroup.freeze",
    cgroupEvents: "/sys/fs/cgroup/unified/web/cgroup.events",
    cgroupName: "/web",
  });
  assertEquals(JSON.parse(`${beforePid}4711${beforeState}running${afterState}`), {
    ociVersion: "1.3.0",
    id: "web",
    pid: 4711,
    status: "running",
    bundle: "/srv/web",
    rootfs: "/srv/web/rootfs",
    created: STATUS.created,
    annotations: STATUS.annotations,
    owner: "root",
  });
});

Deno.test("what the front does not know how to do is forbidden", () => {
  const { ownPids, noStart, noDelete, noMembers, v2, systemd } = PreparedFlag;
  const hooks = (name: string) => ({ ...SPEC, hooks: { [name]: [{ path: "/bin/true" }] } });
  assertEquals(record({}, hooks("poststart")).flags, ownPids | noStart);
  assertEquals(record({}, hooks("poststop")).flags, ownPids | noDelete);
  assertEquals(record({}, hooks("prestart")).flags, ownPids);
  assertEquals(record({ hostMounts: [17] }).flags, ownPids | noDelete);
  const rdt = { linux: { ...SPEC.linux, intelRdt: {} } };
  assertEquals(record({}, rdt).flags, ownPids | noDelete);
  const path = { linux: { namespaces: [{ type: "pid", path: "/proc/1/ns/pid" }] } };
  assertEquals(record({}, path).flags, 0);
  assertEquals(record({}, {}).flags, 0);
  const kind = (kind: "v2" | "systemd" | "disabled") =>
    record({ cgroup: { kind, path: "/web", paths: { "": V1[""] }, inodes: { "": 2 } } });
  assertEquals(kind("v2").flags, ownPids | v2);
  assertEquals(kind("systemd").flags, ownPids | v2 | systemd);
  const mixed = { kind: "systemd", path: "/web", paths: V1, inodes: {} } as const;
  assertEquals(record({ cgroup: mixed }).flags, ownPids | noDelete | noMembers);
  assertEquals(kind("disabled").flags, ownPids | noMembers);
  const { cgroups, cgroupFreeze, cgroupEvents, cgroupName } = kind("disabled");
  assertEquals({ cgroups, cgroupFreeze, cgroupEvents, cgroupName }, {
    cgroups: [],
    cgroupFreeze: "",
    cgroupEvents: "",
    cgroupName: "",
  });
});

Deno.test("the signal of kill is that of the image; one that is none is left to kill", () => {
  const annotated = (signal: string) =>
    record({}, { annotations: { "org.opencontainers.image.stopSignal": signal } }).stopSignal;
  assertEquals([annotated("SIGQUIT"), annotated("RTMIN+3"), annotated("NONE")], [3, 37, 0]);
});
