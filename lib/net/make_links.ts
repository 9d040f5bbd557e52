/** Making network devices, addresses and routes, by rtnetlink(7). */

import type { NetlinkSocket } from "../../ffi/net.ts";
import { quote } from "../base/errors.ts";
import { ipBytes } from "./ip.ts";
import { IFF_UP, type Link, linkStructure } from "./links.ts";
import * as netlink from "./netlink.ts";
import { type Attribute, toCString, uint32, viewOf } from "./netlink.ts";

const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const MAKE = netlink.NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_FD = 28;
const IFLA_NUM_TX_QUEUES = 31;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const NESTED = 0x8000;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const AF_INET = 2;
const AF_INET6 = 10;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;

/** What is alike for every new device. */
interface Basics {
  readonly name: string;
  /** Six bytes. */
  readonly address?: Uint8Array;
  readonly mtu?: number;
  /** Descriptor of the namespace that it is made in; default: that of the socket. */
  readonly netns?: number;
  readonly rxQueues?: number;
  readonly txQueues?: number;
}

/** A new device. */
export interface NewLink extends Basics {
  /** As ip-link(8) has it: veth, macvlan, ipvlan, vlan. */
  readonly kind: string;
  /** Of the device that it belongs to. */
  readonly parent?: number;
  /** What its kind wants to know. */
  readonly data?: readonly Attribute[];
  /** The other end of a pair. */
  readonly peer?: Basics;
}

/** Makes a device. */
export function makeLink(socket: NetlinkSocket, link: NewLink): void {
  const { kind, parent, data = [], peer } = link;
  const peers: Attribute[] = peer === undefined
    ? []
    : [[NESTED | VETH_INFO_PEER, concat(linkStructure(0, 0), pack(basics(peer)))]];
  const all = [...data, ...peers];
  const info: Attribute[] = [
    [IFLA_INFO_KIND, toCString(kind)],
    ...all.length === 0 ? [] : [[NESTED | IFLA_INFO_DATA, pack(all)] as const],
  ];
  const attributes: Attribute[] = [
    ...basics(link),
    ...parent === undefined ? [] : [[IFLA_LINK, uint32(parent)] as const],
    [NESTED | IFLA_LINKINFO, pack(info)],
  ];
  const bytes = netlink.request(netlink.RTM_NEWLINK, MAKE, linkStructure(0, 0), attributes);
  netlink.answer(socket.ask(bytes), `make network device ${quote(link.name)}`);
}

function basics({ name, address, mtu, netns, rxQueues, txQueues }: Basics): Attribute[] {
  const number = (type: number, value: number | undefined): Attribute[] =>
    value === undefined ? [] : [[type, uint32(value)]];
  return [
    [IFLA_IFNAME, toCString(name)],
    ...address === undefined ? [] : [[IFLA_ADDRESS, address] as const],
    ...number(IFLA_MTU, mtu),
    ...number(IFLA_NUM_TX_QUEUES, txQueues),
    ...number(IFLA_NUM_RX_QUEUES, rxQueues),
    ...number(IFLA_NET_NS_FD, netns),
  ];
}

/** Attributes one after the other, each at a multiple of four. */
function pack(attributes: readonly Attribute[]): Uint8Array {
  return concat(...attributes.map(([type, value]) => {
    const bytes = new Uint8Array((4 + value.length + 3) & ~3);
    const view = viewOf(bytes);
    view.setUint16(0, 4 + value.length, true);
    view.setUint16(2, type, true);
    bytes.set(value, 4);
    return bytes;
  }));
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** 16 bits as an attribute holds them. */
export function uint16(value: number): Uint8Array {
  return new Uint8Array([value & 0xff, value >> 8]);
}

/** What is changed of a device. */
interface LinkChange {
  readonly name?: string;
  readonly address?: Uint8Array;
  readonly mtu?: number;
  /** Index of the bridge that it becomes a port of. */
  readonly master?: number;
  readonly up?: boolean;
}

/** Changes a device. */
export function changeLink(socket: NetlinkSocket, link: Link, change: LinkChange): void {
  const { name, address, mtu, master, up } = change;
  const attributes: Attribute[] = [
    ...name === undefined ? [] : [[IFLA_IFNAME, toCString(name)] as const],
    ...address === undefined ? [] : [[IFLA_ADDRESS, address] as const],
    ...mtu === undefined ? [] : [[IFLA_MTU, uint32(mtu)] as const],
    ...master === undefined ? [] : [[IFLA_MASTER, uint32(master)] as const],
  ];
  const fixed = linkStructure(link.index, up ? IFF_UP : 0);
  const bytes = netlink.request(netlink.RTM_NEWLINK, netlink.NLM_F_ACK, fixed, attributes);
  netlink.answer(socket.ask(bytes), `change network device ${quote(link.name)}`);
}

/** Removes a device, and with it the other end of a pair. */
export function removeLink(socket: NetlinkSocket, link: Link): void {
  const fixed = linkStructure(link.index, 0);
  const bytes = netlink.request(netlink.RTM_DELLINK, netlink.NLM_F_ACK, fixed);
  netlink.answer(socket.ask(bytes), `remove network device ${quote(link.name)}`);
}

/** An address with its network. */
interface NewAddress {
  readonly address: string;
  readonly prefix: number;
  readonly broadcast?: string;
}

/** Gives a device an address. */
export function giveAddress(socket: NetlinkSocket, link: Link, given: NewAddress): void {
  const bytes = ipBytes(given.address);
  const fixed = new Uint8Array(8);
  fixed[0] = familyOf(bytes);
  fixed[1] = given.prefix;
  viewOf(fixed).setUint32(4, link.index, true);
  const broadcast = broadcastOf(bytes, given);
  const attributes: Attribute[] = [
    [IFA_LOCAL, bytes],
    [IFA_ADDRESS, bytes],
    ...broadcast === undefined ? [] : [[IFA_BROADCAST, broadcast] as const],
  ];
  const request = netlink.request(netlink.RTM_NEWADDR, MAKE, fixed, attributes);
  const what = `give address ${given.address}/${given.prefix} to network device ${
    quote(link.name)
  }`;
  netlink.answer(socket.ask(request), what);
}

function familyOf(bytes: Uint8Array): number {
  return bytes.length === 4 ? AF_INET : AF_INET6;
}

/** The highest of the network; there is none of IPv6, nor of a network of two. */
function broadcastOf(
  bytes: Uint8Array,
  { prefix, broadcast }: NewAddress,
): Uint8Array | undefined {
  if (broadcast !== undefined) return ipBytes(broadcast);
  if (bytes.length !== 4 || prefix >= 31) return undefined;
  return bytes.map((byte, at) => byte | (0xff >> Math.min(8, Math.max(0, prefix - 8 * at))));
}

/** A route through a device: to a network, or without one the default; by a gateway, or directly. */
interface NewRoute {
  readonly to?: NewAddress;
  readonly gateway?: string;
  /** Of the default route without a gateway. */
  readonly family?: "ipv4" | "ipv6";
}

/** Adds a route. */
export function addRoute(
  socket: NetlinkSocket,
  link: Link,
  { to, gateway, family }: NewRoute,
): void {
  const via = gateway === undefined ? undefined : ipBytes(gateway);
  const destination = to === undefined ? undefined : ipBytes(to.address);
  const known = via ?? destination;
  const fixed = new Uint8Array(12);
  fixed[0] = known ? familyOf(known) : family === "ipv6" ? AF_INET6 : AF_INET;
  fixed[1] = to?.prefix ?? 0;
  fixed[4] = RT_TABLE_MAIN;
  fixed[5] = RTPROT_BOOT;
  fixed[6] = via === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  fixed[7] = RTN_UNICAST;
  const attributes: Attribute[] = [
    ...destination === undefined ? [] : [[RTA_DST, destination] as const],
    ...via === undefined ? [] : [[RTA_GATEWAY, via] as const],
    [RTA_OIF, uint32(link.index)],
  ];
  const text = to === undefined ? "default route" : `route to ${to.address}/${to.prefix}`;
  const by = gateway === undefined ? "" : ` by ${gateway}`;
  const what = `add ${text}${by} to network device ${quote(link.name)}`;
  netlink.answer(socket.ask(netlink.request(netlink.RTM_NEWROUTE, MAKE, fixed, attributes)), what);
}

/** BRIDGE_VLAN_INFO_* (if_bridge.h). */
const VLAN_PVID = 2;
const VLAN_UNTAGGED = 4;
const AF_BRIDGE = 7;
const IFLA_AF_SPEC = 26;
const IFLA_BRIDGE_VLAN_INFO = 2;

/** A virtual network that a port of a bridge is in. */
interface PortVlan {
  readonly id: number;
  /** What comes without a tag belongs to it, and it leaves without one. */
  readonly untagged: boolean;
}

/** Puts the port of a bridge into a virtual network. */
export function addPortVlan(socket: NetlinkSocket, port: Link, vlan: PortVlan): void {
  changePortVlan(socket, port, vlan, netlink.RTM_SETLINK);
}

/** Takes it out of one. */
export function removePortVlan(socket: NetlinkSocket, port: Link, id: number): void {
  changePortVlan(socket, port, { id, untagged: false }, netlink.RTM_DELLINK);
}

function changePortVlan(
  socket: NetlinkSocket,
  port: Link,
  { id, untagged }: PortVlan,
  type: number,
): void {
  const fixed = linkStructure(port.index, 0);
  fixed[0] = AF_BRIDGE;
  const flags = untagged ? VLAN_PVID | VLAN_UNTAGGED : 0;
  const info = concat(uint16(flags), uint16(id));
  const spec: Attribute = [NESTED | IFLA_AF_SPEC, pack([[IFLA_BRIDGE_VLAN_INFO, info]])];
  const bytes = netlink.request(type, netlink.NLM_F_ACK, fixed, [spec]);
  const what = `change virtual network ${id} of network device ${quote(port.name)}`;
  netlink.answer(socket.ask(bytes), what);
}

const NDA_DST = 1;
const NTF_PROXY = 8;

/** Has a device answer for an address that is behind another one (arp(7)). */
export function addProxy(socket: NetlinkSocket, link: Link, address: string): void {
  changeProxy(socket, link, address, netlink.RTM_NEWNEIGH, MAKE);
}

/** It does not any more. */
export function removeProxy(socket: NetlinkSocket, link: Link, address: string): void {
  changeProxy(socket, link, address, netlink.RTM_DELNEIGH, netlink.NLM_F_ACK);
}

function changeProxy(
  socket: NetlinkSocket,
  link: Link,
  address: string,
  type: number,
  flags: number,
): void {
  const bytes = ipBytes(address);
  // struct ndmsg (neighbour.h).
  const fixed = new Uint8Array(12);
  fixed[0] = familyOf(bytes);
  viewOf(fixed).setUint32(4, link.index, true);
  fixed[10] = NTF_PROXY;
  const request = netlink.request(type, flags, fixed, [[NDA_DST, bytes]]);
  const what = `answer for ${address} at network device ${quote(link.name)}`;
  netlink.answer(socket.ask(request), what);
}
