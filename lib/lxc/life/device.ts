/** `lxc device`: devices of the host that come into a container that runs, and go again. */

import { makeNode, type Node, removeNode } from "../../../ffi/nodes.ts";
import { absolute } from "../../base/absolute.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import { statFile } from "../../base/files.ts";
import { limitDevices } from "../../cgroup/devices/exact.ts";
import { findLink, IFF_UP, type Link, moveLink } from "../../net/links.ts";
import { changeLink } from "../../net/make_links.ts";
import { load } from "../../runtime/load.ts";
import { inCommand } from "../../runtime/command.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import type { DeviceRule } from "../../spec/types/config.ts";
import { recordedCgroup } from "../../state/cgroup.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspect } from "../../state/inspect.ts";
import { withLock } from "../../state/lock.ts";
import { Networks } from "./network.ts";
import { readSystem, writeSystem } from "./record.ts";
import { systemNow } from "./state.ts";

/** Which device of which container. */
interface DeviceOptions {
  /** Of the container, as runts has it. */
  readonly id: string;
  /** Default: whatever has the name. */
  readonly kind?: "node" | "network";
  /** Path of a node of the host, or name of a network device: of the host to add, of the container to remove. */
  readonly device: string;
  /** What it is called at the other end; default the same. */
  readonly other?: string | undefined;
}

/** Brings a device into a container that runs. */
export function addDevice(given: RuntimeOrSettings, options: DeviceOptions): Promise<void> {
  return onRunning(given, options, async (runtime, directory, pid) => {
    const { device, other = device } = options;
    using networks = new Networks(runtime, `/proc/${pid}/ns/net`);
    const link = linkOf(networks.outside, options);
    if (link !== undefined) {
      return moveLink(networks.outside.socket, link, networks.inside.netns, other);
    }
    const node = nodeOf(runtime, device);
    refuseMapped(directory);
    await allow(runtime, directory, node, true);
    makeNode(`/proc/${pid}/root`, pathOf(other), node);
  });
}

/** Takes one away again. A network device goes back to the host. */
export function removeDevice(given: RuntimeOrSettings, options: DeviceOptions): Promise<void> {
  return onRunning(given, options, async (runtime, directory, pid) => {
    const { device, other = device } = options;
    using networks = new Networks(runtime, `/proc/${pid}/ns/net`);
    const { inside, outside } = networks;
    const link = linkOf(inside, options);
    if (link !== undefined) {
      if (link.flags & IFF_UP) changeLink(inside.socket, link, { up: false });
      return moveLink(inside.socket, link, outside.netns, other);
    }
    const node = nodeOf(runtime, device);
    removeNode(`/proc/${pid}/root`, pathOf(other), node);
    await allow(runtime, directory, node, false);
  });
}

function onRunning(
  given: RuntimeOrSettings,
  { id }: DeviceOptions,
  body: (runtime: LoadedRuntime, directory: StateDirectory, pid: number) => Promise<void>,
): Promise<void> {
  return inCommand(given, "device", id, async (unloaded) => {
    if (systemNow(unloaded, id).pid === undefined) {
      throw new RuntsError("the container does not run");
    }
    const runtime = await load(unloaded);
    const directory = new StateDirectory(unloaded, id);
    await withLock(runtime, directory, async () => {
      const { pid } = systemNow(runtime, id);
      if (pid === undefined) throw new RuntsError("the container does not run");
      await body(runtime, directory, pid);
    });
  });
}

/** The network device that is meant, if one is. */
function linkOf(
  { socket }: Networks["inside"],
  { device, kind }: DeviceOptions,
): Link | undefined {
  if (kind === "node" || !isName(device)) return undefined;
  const link = findLink(socket, device);
  if (link !== undefined || kind === undefined) return link;
  throw new RuntsError(`network device ${quote(device)} does not exist`);
}

function isName(device: string): boolean {
  return !device.includes("/");
}

/** Nodes are in /dev, unless a path says something else. */
function pathOf(name: string): string {
  return name.startsWith("/") ? name : `/dev/${name}`;
}

function nodeOf({ caller }: LoadedRuntime, device: string): Node {
  const path = absolute(caller, device);
  const found = statFile(path);
  if (found?.isCharDevice || found?.isBlockDevice) {
    return { mode: found.mode!, device: found.rdev! };
  }
  const what = isName(device) ? "neither a network device nor a device node" : "no device node";
  throw new RuntsError(`${quote(device)} is ${what} of the host`);
}

/** A file system of a user namespace has no nodes that could be opened. */
function refuseMapped(directory: StateDirectory): void {
  const { plan } = readSystem(directory);
  if (plan.spec.linux?.uidMappings === undefined) return;
  throw new RuntsError("the container's ids are mapped: it can open no device node", {
    hint: "bind the node with lxc.mount.entry",
  });
}

/** What is allowed anew, and noted, so that the next change knows of it. */
async function allow(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  { mode, device }: Node,
  isAllowed: boolean,
): Promise<void> {
  const record = readSystem(directory);
  const usual = record.plan.spec.linux?.resources?.devices ?? [];
  // A single rule allows all of them.
  if (usual.length <= 1) return;
  const rule: DeviceRule = { allow: true, access: "rwm", ...numbersOf(mode, device) };
  const others = (record.addedDevices ?? []).filter((one) =>
    one.type !== rule.type || one.major !== rule.major || one.minor !== rule.minor
  );
  const addedDevices = isAllowed ? [...others, rule] : others;
  const cgroup = recordedCgroup(runtime, inspect(directory).status);
  await limitDevices(cgroup, [...usual, ...addedDevices]);
  writeSystem(directory, { ...record, addedDevices });
}

const FORMAT = 0o170000;
const BLOCK = 0o060000;

/** As the C library cuts a device number (makedev(3)). */
function numbersOf(mode: number, device: number): Pick<DeviceRule, "type" | "major" | "minor"> {
  const number = BigInt(device);
  return {
    type: (mode & FORMAT) === BLOCK ? "b" : "c",
    major: Number((number >> 8n) & 0xfffn | (number >> 32n) & 0xfffff000n),
    minor: Number(number & 0xffn | (number >> 12n) & 0xffffff00n),
  };
}
