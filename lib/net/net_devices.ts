/**
 * Network devices that move into the container (config-linux.md, "Network Devices"). The kernel
 * keeps their attributes but drops their addresses and sets them down; both are made good here.
 * Once the container has been created, they are never moved out again: when the namespace ends,
 * the kernel gives physical devices back to the host and destroys virtual ones.
 */

import { type NetlinkSocket, openNetlink } from "../../ffi/net.ts";
import { EEXIST, ENODEV } from "../base/errno.ts";
import { quote, RuntsError } from "../base/errors.ts";
import type { LoadedRuntime, OwnHelper } from "../runtime/runtime.ts";
import type { NetDevice } from "../spec/types/config.ts";
import {
  addAddress,
  type Address,
  addressesOf,
  findLink,
  IFF_LOOPBACK,
  IFF_UP,
  type Link,
  links,
  moveLink,
  setUp,
} from "./links.ts";

/** A network namespace: a descriptor, and a socket that speaks about it. */
interface Namespace {
  readonly netns: number;
  readonly socket: NetlinkSocket;
}

/** One device of the configuration. */
interface Move {
  readonly configPath: string;
  readonly link: Link;
  /** The name inside, or a template that ends in %d. */
  readonly name: string;
}

/** A device that has arrived. */
interface Moved {
  readonly move: Move;
  readonly link: Link;
  readonly addresses: readonly Address[];
}

/** Devices that were moved, while both namespaces are held open. */
interface MovedDevices extends Disposable {
  /** Gives them back to the namespace of runts, as they were, as far as that goes. */
  takeBack(): void;
}

/**
 * Moves devices from the namespace of runts into that of a process, and sets them up there with
 * the permanent addresses of global scope that they had. What can be checked is checked for all
 * before the first one is touched; when one cannot be moved nevertheless, those that were are
 * taken back.
 *
 * @throws RuntsError naming the device, its property and the error number. Takes CAP_NET_ADMIN in
 * both namespaces, CAP_SYS_ADMIN in that of the process
 */
export function moveNetDevices(
  { helper, caller }: LoadedRuntime,
  pid: number,
  netDevices: Readonly<Record<string, NetDevice>>,
): MovedDevices {
  const [here, there] = [`${caller.proc}/ns/net`, `/proc/${pid}/ns/net`];
  if (Deno.readLinkSync(here) === Deno.readLinkSync(there)) {
    throw new RuntsError("the container has the network namespace of its host", {
      configPath: "linux.netDevices",
    });
  }
  using descriptors = new DisposableStack();
  const open = (path: string) => descriptors.adopt(helper.open(path, 0), helper.close);
  const ours = open(here);
  const theirs = open(there);
  const outside = { netns: ours, socket: descriptors.use(openNetlink(helper)) };
  const inside = { netns: theirs, socket: descriptors.use(openInside(helper, theirs)) };
  const moved = moveAll(outside, inside, netDevices);
  const held = descriptors.move();
  return {
    takeBack() {
      if (held.disposed) return;
      for (const one of moved.reverse()) takeBack(outside, inside, one);
      held.dispose();
    },
    [Symbol.dispose]: () => held.dispose(),
  };
}

function moveAll(
  outside: Namespace,
  inside: Namespace,
  netDevices: Readonly<Record<string, NetDevice>>,
): Moved[] {
  const moves = Object.entries(netDevices).map(([name, device]) =>
    checkMove(outside, inside, name, device?.name || name)
  );
  const moved: Moved[] = [];
  try {
    for (const move of moves) moveIn(outside, inside, move, moved);
    return moved;
  } catch (error) {
    for (const one of moved.reverse()) takeBack(outside, inside, one);
    throw error;
  }
}

function openInside(helper: OwnHelper, netns: number): NetlinkSocket {
  try {
    return openNetlink(helper, netns);
  } catch (cause) {
    throw new RuntsError("enter the network namespace of the container", {
      configPath: "linux.netDevices",
      cause,
    });
  }
}

function checkMove(
  outside: Namespace,
  inside: Namespace,
  hostName: string,
  name: string,
): Move {
  const configPath = `linux.netDevices[${quote(hostName)}]`;
  const link = findLink(outside.socket, hostName);
  if (link === undefined) {
    throw new RuntsError(`move network device ${quote(hostName)}`, { configPath, errno: ENODEV });
  }
  if ((link.flags & IFF_LOOPBACK) !== 0) {
    throw new RuntsError(`move network device ${quote(hostName)}`, {
      configPath,
      hint: "a loopback device belongs to its namespace",
    });
  }
  if (!isTemplate(name) && findLink(inside.socket, name) !== undefined) {
    throw new RuntsError(`name network device ${quote(hostName)} ${quote(name)}`, {
      configPath,
      errno: EEXIST,
      hint: "the network namespace of the container has a device of that name",
    });
  }
  return { configPath, link, name };
}

function isTemplate(name: string): boolean {
  return name.endsWith("%d");
}

function moveIn(outside: Namespace, inside: Namespace, move: Move, moved: Moved[]): void {
  const { configPath, link, name } = move;
  try {
    const addresses = addressesOf(outside.socket, link);
    const before = isTemplate(name) ? indexesOf(inside) : undefined;
    moveLink(outside.socket, link, inside.netns, name);
    const arrived = before ? newcomer(inside, name, before) : findLink(inside.socket, name);
    if (arrived === undefined) {
      throw new RuntsError(`find network device ${quote(name)} in the container`);
    }
    moved.push({ move, link: arrived, addresses });
    for (const address of addresses) addAddress(inside.socket, arrived, address, link.name);
    setUp(inside.socket, arrived);
  } catch (error) {
    throw error instanceof RuntsError ? error.with({ configPath }) : error;
  }
}

function indexesOf({ socket }: Namespace): Set<number> {
  return new Set(links(socket).map(({ index }) => index));
}

/** The device that was not there before and whose name the kernel made of the template. */
function newcomer(inside: Namespace, template: string, before: Set<number>): Link | undefined {
  const prefix = template.slice(0, -"%d".length);
  return links(inside.socket).find(({ index, name }) =>
    !before.has(index) && name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))
  );
}

/** As far as it goes: the error that led here is the one to be told. */
function takeBack(outside: Namespace, inside: Namespace, { move, link, addresses }: Moved): void {
  const { name, flags } = move.link;
  try {
    moveLink(inside.socket, link, outside.netns, name);
    const back = findLink(outside.socket, name);
    if (back === undefined) return;
    for (const address of addresses) addAddress(outside.socket, back, address, name);
    if ((flags & IFF_UP) !== 0) setUp(outside.socket, back);
  } catch {
    // It stays in the namespace of the container, and ends or returns with that.
  }
}
