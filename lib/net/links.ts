/** Links and addresses of a network namespace, by rtnetlink(7). */

import { fromCString } from "../../ffi/call.ts";
import type { NetlinkSocket } from "../../ffi/net.ts";
import { EAGAIN, ENODEV } from "../base/errno.ts";
import { errnoOf, quote } from "../base/errors.ts";
import * as netlink from "./netlink.ts";
import { type NetlinkMessage, uint32, viewOf } from "./netlink.ts";

/** struct ifinfomsg and struct ifaddrmsg. */
const LINK_SIZE = 16;
const ADDRESS_SIZE = 8;

export const IFF_UP = 0x1;
export const IFF_LOOPBACK = 0x8;

const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
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

/** A network device in one namespace. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** IFF_* (netdevice(7)). */
  readonly flags: number;
  readonly mtu: number;
  /** As ip-link(8) has it: `bridge`, `veth`; empty for hardware. */
  readonly kind: string;
}

/** An address as the kernel lists it: struct ifaddrmsg and attributes. */
export type Address = Uint8Array;

/**
 * Moves a device into another namespace, and renames it.
 *
 * @param netns descriptor of the namespace
 * @param name the new name, or a template that ends in %d, which the kernel completes
 */
export function moveLink(socket: NetlinkSocket, link: Link, netns: number, name: string): void {
  change(socket, `move network device ${quote(link.name)} to ${quote(name)}`, {
    index: link.index,
    attributes: [[IFLA_NET_NS_FD, uint32(netns)], [IFLA_IFNAME, netlink.toCString(name)]],
  });
}

export function setUp(socket: NetlinkSocket, { index, name }: Link): void {
  change(socket, `set up network device ${quote(name)}`, { index, flags: IFF_UP });
}

/** Changes a link. */
function change(
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

/** struct ifinfomsg: flags are those that are set. */
export function linkStructure(index: number, flags: number): Uint8Array {
  const fixed = new Uint8Array(LINK_SIZE);
  const view = viewOf(fixed);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, flags, true); // the mask of what changes
  return fixed;
}

/** The device of that name; undefined when there is none. */
export function findLink(socket: NetlinkSocket, name: string): Link | undefined {
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
  const known = netlink.attributesOf(body, LINK_SIZE);
  const [mtu, info] = [known.get(IFLA_MTU), known.get(IFLA_LINKINFO)];
  return {
    index: view.getInt32(4, true),
    name: textOf(known.get(IFLA_IFNAME)),
    flags: view.getUint32(8, true),
    mtu: mtu === undefined ? 0 : viewOf(mtu).getUint32(0, true),
    kind: info === undefined ? "" : textOf(netlink.attributesOf(info, 0).get(IFLA_INFO_KIND)),
  };
}

function textOf(bytes: Uint8Array | undefined): string {
  return fromCString(bytes ?? new Uint8Array());
}

export function links(socket: NetlinkSocket): Link[] {
  return dump(socket, netlink.RTM_GETLINK, LINK_SIZE, "list network devices").map(toLink);
}

/** The permanent addresses of global scope that a device has, of every family. */
export function addressesOf(socket: NetlinkSocket, link: Link): Address[] {
  const operation = `list the addresses of network device ${quote(link.name)}`;
  return addresses(socket, operation).filter((body) => {
    const { index, isGlobal } = addressParts(body);
    return index === link.index && isGlobal && (flagsOf(body) & IFA_F_PERMANENT) !== 0;
  });
}

/** All addresses of all devices. */
export function addresses(socket: NetlinkSocket, operation = "list addresses"): Address[] {
  return dump(socket, netlink.RTM_GETADDR, ADDRESS_SIZE, operation).map(({ body }) => body);
}

/** What an address says: its device, its bytes, and whether it is of global scope. */
export function addressParts(
  body: Address,
): { readonly index: number; readonly bytes: Uint8Array; readonly isGlobal: boolean } {
  const known = netlink.attributesOf(body, ADDRESS_SIZE);
  const view = viewOf(body);
  return {
    index: view.getUint32(4, true),
    bytes: known.get(IFA_LOCAL) ?? known.get(IFA_ADDRESS) ?? new Uint8Array(),
    isGlobal: view.getUint8(3) === RT_SCOPE_UNIVERSE,
  };
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

/** Gives a device an address that it had under a former name. */
export function addAddress(
  socket: NetlinkSocket,
  link: Link,
  body: Address,
  formerName: string,
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
  netlink.answer(socket.ask(bytes), `add an address to network device ${quote(link.name)}`);
}

/** Labels of IPv4 addresses begin with the name of their device: `eth0:web`. */
function labelFor(label: Uint8Array | undefined, former: string, name: string): string | undefined {
  if (label === undefined) return undefined;
  const text = fromCString(label);
  const renamed = text.startsWith(`${former}:`) ? name + text.slice(former.length) : name;
  return renamed.length <= NAME_MAX ? renamed : name;
}
