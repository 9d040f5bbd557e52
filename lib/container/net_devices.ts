/**
 * Network devices that move into the container (config-linux.md, "Network Devices"). The kernel
 * keeps their attributes but drops their addresses and sets them down; both are made good here.
 * They are never moved out again: when the namespace ends, the kernel gives physical devices back
 * to the host and destroys virtual ones.
 */

import type { Helper } from "../../ffi/helper.ts";
import { type NetlinkSocket, openNetlink } from "../../ffi/net.ts";
import { EAGAIN, EEXIST, ENODEV } from "../errno.ts";
import { errnoOf, quote, RuntsError } from "../errors.ts";
import type { NetDevice } from "../spec/types.ts";
import * as netlink from "./netlink.ts";
import { type NetlinkMessage, uint32, viewOf } from "./netlink.ts";

/** struct ifinfomsg and struct ifaddrmsg. */
const LINK_SIZE = 16;
const ADDRESS_SIZE = 8;

const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;

const IFLA_IFNAME = 3;
const IFLA_NET_NS_FD = 28;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_RT_PRIORITY = 9;
const IFA_PROTO = 11;
/** What is said of an address as it was; its label and flags need thought. */
const KEPT = [IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_CACHEINFO, IFA_RT_PRIORITY, IFA_PROTO];

const IFA_F_PERMANENT = 0x80;
/** Flags that are the user's choice: nodad, home, mngtmpaddr, noprefixroute, autojoin. */
const CHOSEN_FLAGS = 0x2 | 0x10 | 0x100 | 0x200 | 0x400;
const RT_SCOPE_UNIVERSE = 0;

/** Longest name of a device and label of an address (IFNAMSIZ without the NUL). */
const NAME_MAX = 15;
/** A list that changes while it is read is read again. */
const DUMP_ATTEMPTS = 10;

interface Link {
  readonly index: number;
  readonly name: string;
  readonly loopback: boolean;
}

/** One device of the configuration and what is known of it. */
interface Move {
  readonly configPath: string;
  readonly link: Link;
  /** The name inside, or a template that ends in %d. */
  readonly name: string;
}

/**
 * Moves devices from the namespace of runts into that of a process, and sets them up there with
 * the permanent addresses of global scope that they had. Whether they can be moved is checked for
 * all before the first one is touched.
 *
 * @throws RuntsError naming the device, its property and the error number. Takes CAP_NET_ADMIN in
 * both namespaces, CAP_SYS_ADMIN in that of the process
 */
export function moveNetDevices(
  helper: Helper,
  pid: number,
  netDevices: Readonly<Record<string, NetDevice>>,
): Promise<void> {
  return Promise.resolve().then(() => move(helper, pid, netDevices));
}

function move(
  helper: Helper,
  pid: number,
  netDevices: Readonly<Record<string, NetDevice>>,
): void {
  const netns = helper.open(`/proc/${pid}/ns/net`, 0);
  try {
    using outside = openNetlink(helper);
    using inside = openInside(helper, netns);
    const moves = Object.entries(netDevices).map(([name, device]) =>
      checkMove(outside, inside, name, device?.name || name)
    );
    for (const one of moves) moveOne(outside, inside, netns, one);
  } finally {
    helper.close(netns);
  }
}

function openInside(helper: Helper, netns: number): NetlinkSocket {
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
  outside: NetlinkSocket,
  inside: NetlinkSocket,
  hostName: string,
  name: string,
): Move {
  const configPath = `linux.netDevices[${quote(hostName)}]`;
  const link = findLink(outside, hostName);
  if (link === undefined) {
    throw new RuntsError(`move network device ${quote(hostName)}`, { configPath, errno: ENODEV });
  }
  if (link.loopback) {
    throw new RuntsError(`move network device ${quote(hostName)}`, {
      configPath,
      hint: "a loopback device belongs to its namespace",
    });
  }
  if (!isTemplate(name) && findLink(inside, name) !== undefined) {
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

function moveOne(
  outside: NetlinkSocket,
  inside: NetlinkSocket,
  netns: number,
  { configPath, link, name }: Move,
): void {
  try {
    const addresses = addressesOf(outside, link);
    const before = isTemplate(name) ? indexesOf(inside) : undefined;
    request(outside, `move network device ${quote(link.name)} to ${quote(name)}`, {
      index: link.index,
      attributes: [[IFLA_NET_NS_FD, uint32(netns)], [IFLA_IFNAME, netlink.toCString(name)]],
    });
    const moved = before ? arrived(inside, name, before) : findLink(inside, name);
    if (moved === undefined) {
      throw new RuntsError(`find network device ${quote(name)} in the container`);
    }
    for (const address of addresses) addAddress(inside, address, link.name, moved);
    request(inside, `set up network device ${quote(moved.name)}`, {
      index: moved.index,
      flags: IFF_UP,
    });
  } catch (error) {
    throw error instanceof RuntsError ? error.with({ configPath }) : error;
  }
}

/** Changes a link: RTM_NEWLINK. `flags` are those to be set. */
function request(
  socket: NetlinkSocket,
  operation: string,
  { index, flags = 0, attributes = [] }: {
    index: number;
    flags?: number;
    attributes?: netlink.Attribute[];
  },
): void {
  const fixed = linkStructure(index, flags);
  const bytes = netlink.request(netlink.RTM_NEWLINK, netlink.NLM_F_ACK, fixed, attributes);
  netlink.answer(socket.ask(bytes), operation);
}

function linkStructure(index: number, flags: number): Uint8Array {
  const fixed = new Uint8Array(LINK_SIZE);
  const view = viewOf(fixed);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, flags, true); // the mask of what changes
  return fixed;
}

function findLink(socket: NetlinkSocket, name: string): Link | undefined {
  const operation = `look for network device ${quote(name)}`;
  const bytes = netlink.request(
    netlink.RTM_GETLINK,
    netlink.NLM_F_ACK,
    new Uint8Array(LINK_SIZE),
    [[IFLA_IFNAME, netlink.toCString(name)]],
  );
  try {
    return netlink.answer(socket.ask(bytes), operation).map(toLink)[0];
  } catch (error) {
    if (errnoOf(error) === ENODEV) return undefined;
    throw error;
  }
}

function toLink({ body }: NetlinkMessage): Link {
  const view = viewOf(body);
  const name = netlink.attributesOf(body, LINK_SIZE).get(IFLA_IFNAME);
  return {
    index: view.getInt32(4, true),
    name: netlink.fromCString(name ?? new Uint8Array()),
    loopback: (view.getUint32(8, true) & IFF_LOOPBACK) !== 0,
  };
}

function links(socket: NetlinkSocket): Link[] {
  return dump(socket, netlink.RTM_GETLINK, LINK_SIZE, "list network devices").map(toLink);
}

function indexesOf(socket: NetlinkSocket): Set<number> {
  return new Set(links(socket).map(({ index }) => index));
}

/** The device that was not there before and whose name the kernel made of the template. */
function arrived(inside: NetlinkSocket, template: string, before: Set<number>): Link | undefined {
  const prefix = template.slice(0, -"%d".length);
  return links(inside).find(({ index, name }) =>
    !before.has(index) && name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))
  );
}

/** The addresses that the device must have again, of every family. */
function addressesOf(socket: NetlinkSocket, link: Link): NetlinkMessage[] {
  const operation = `list the addresses of network device ${quote(link.name)}`;
  return dump(socket, netlink.RTM_GETADDR, ADDRESS_SIZE, operation).filter(({ body }) => {
    const view = viewOf(body);
    return view.getUint32(4, true) === link.index &&
      view.getUint8(3) === RT_SCOPE_UNIVERSE && (flagsOf(body) & IFA_F_PERMANENT) !== 0;
  });
}

/** The structure has room for eight flags; IFA_FLAGS (Linux 3.14) has all. */
function flagsOf(body: Uint8Array): number {
  const all = netlink.attributesOf(body, ADDRESS_SIZE).get(IFA_FLAGS);
  return all ? viewOf(all).getUint32(0, true) : viewOf(body).getUint8(2);
}

function dump(
  socket: NetlinkSocket,
  type: number,
  size: number,
  operation: string,
): NetlinkMessage[] {
  for (let attempt = 1;; attempt++) {
    try {
      const bytes = netlink.request(type, netlink.NLM_F_DUMP, new Uint8Array(size));
      return netlink.answer(socket.ask(bytes), operation);
    } catch (error) {
      if (errnoOf(error) !== EAGAIN || attempt === DUMP_ATTEMPTS) throw error;
    }
  }
}

function addAddress(
  inside: NetlinkSocket,
  { body }: NetlinkMessage,
  formerName: string,
  link: Link,
): void {
  const known = netlink.attributesOf(body, ADDRESS_SIZE);
  const attributes: netlink.Attribute[] = [];
  for (const type of KEPT) {
    const value = known.get(type);
    if (value !== undefined) attributes.push([type, value]);
  }
  const label = labelFor(known.get(IFA_LABEL), formerName, link.name);
  if (label !== undefined) attributes.push([IFA_LABEL, netlink.toCString(label)]);
  attributes.push([IFA_FLAGS, uint32(flagsOf(body) & CHOSEN_FLAGS)]);
  const fixed = body.slice(0, ADDRESS_SIZE);
  const view = viewOf(fixed);
  view.setUint8(2, 0);
  view.setUint32(4, link.index, true);
  const bytes = netlink.request(netlink.RTM_NEWADDR, netlink.NLM_F_ACK, fixed, attributes);
  netlink.answer(inside.ask(bytes), `add an address to network device ${quote(link.name)}`);
}

/** Labels of IPv4 addresses begin with the name of their device: `eth0:web`. */
function labelFor(label: Uint8Array | undefined, former: string, name: string): string | undefined {
  if (label === undefined) return undefined;
  const text = netlink.fromCString(label);
  const renamed = text.startsWith(`${former}:`) ? name + text.slice(former.length) : name;
  return renamed.length <= NAME_MAX ? renamed : name;
}
