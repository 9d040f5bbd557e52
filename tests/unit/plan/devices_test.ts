import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { NodeGiven, NodeSource } from "../../../lib/wire/ops.ts";
import { HOST, linesFrom, onlyOp, opsOf, planOf } from "../../support/plan.ts";
import { type Json, withNamespaces } from "../../support/spec.ts";

const MAP = [{ containerID: 0, hostID: 5000, size: 10 }, { containerID: 50, hostID: 7, size: 1 }];
const USER = {
  "linux.namespaces": withNamespaces("user"),
  "linux.uidMappings": MAP,
  "linux.gidMappings": MAP,
};
const DEVICE = { type: "c", path: "/dev/mine", major: 1, minor: 5 };

/** The operations of the first device of the configuration. */
function made(device: Json, changes: Json = USER) {
  const plan = planOf({ ...changes, "linux.devices": [{ ...DEVICE, ...device }] });
  const from = "linux.devices[0]";
  return {
    node: opsOf(plan, "make_node").find((op) => op.from === from),
    device: opsOf(plan, "device").find((op) => op.from === from)!,
    lines: linesFrom(plan, from),
  };
}

Deno.test("devices: with a user namespace nodes are made before it is entered", () => {
  const { node, device, lines } = made({ fileMode: 0o600, uid: 3, gid: 50 });
  assertEquals([node?.mode, node?.uid, node?.gid, node?.userns], [0o600, 5003, 7, -1]);
  assertEquals([device.uid, device.gid, device.slot], [3, 50, node!.slot]);
  assertEquals(device.given, NodeGiven.mode | NodeGiven.uid | NodeGiven.gid);
  assertEquals(lines, [
    "make device 1:5 for /dev/mine on a filesystem of its own",
    "bind device 1:5 on /dev/mine (0600, owner 3:50)",
  ]);
  const plan = planOf(USER);
  const slots = opsOf(plan, "device").map(({ slot }) => slot);
  assertEquals(onlyOp(plan, "open_nodes").slots, slots);
  assertEquals(opsOf(plan, "make_node").map(({ slot }) => slot), slots);
});

Deno.test("devices: an owner that is not given is the container's root, where there is one", () => {
  assertEquals(made({}).node?.uid, 5000);
  assertEquals(made({}).device.given, 0);
  const ordinary = [{ containerID: 1000, hostID: 1000, size: 1 }];
  const maps = { ...USER, "linux.uidMappings": ordinary, "linux.gidMappings": ordinary };
  assertEquals(made({}, maps).node?.uid, 1000);
  const error = assertThrows(() => made({ uid: 0 }, maps), RuntsError);
  assertEquals(error.message, "linux.devices[0].uid: 0 is not mapped by linux.uidMappings");
});

Deno.test("devices: a user namespace that is joined tells whose ids they are", () => {
  const namespaces = withNamespaces().concat({ type: "user", path: "/ns/user" });
  const plan = planOf({ "linux.namespaces": namespaces, "linux.devices": [{ ...DEVICE, gid: 9 }] });
  const { slot } = onlyOp(plan, "open_ns");
  const nodes = opsOf(plan, "make_node");
  const { uid, gid, userns } = nodes.find(({ path }) => path === "/dev/mine")!;
  assertEquals([uid, gid, userns], [0, 9, slot]);
  const others = nodes.filter(({ path }) => path !== "/dev/mine");
  assertEquals(others.length, 6);
  for (const node of others) assertEquals([node.uid, node.gid, node.userns], [0, 0, -1], node.path);
});

Deno.test("devices: who may make none is given the host's", () => {
  const host = { ...HOST, euid: 1000 };
  const plan = planOf({ ...USER, "linux.devices": [{ ...DEVICE, fileMode: 0o640 }] }, { host });
  assertEquals([opsOf(plan, "make_node"), opsOf(plan, "open_nodes")], [[], []]);
  const device = opsOf(plan, "device").find(({ path }) => path === "/dev/mine")!;
  assertEquals([device.bind, device.given, device.slot], [NodeSource.bind, NodeGiven.mode, -1]);
});
