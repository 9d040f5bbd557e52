/** Values of `lxc.net.N.*`. */

import type { Parse } from "./values.ts";
import type { Report } from "./place.ts";

/** IFNAMSIZ without its NUL (if.h). */
const NAME_MAX = 15;

/** The name of a network device. */
export function interfaceName(value: string, report: Report): string {
  if (value.length > NAME_MAX) report(`is longer than ${NAME_MAX} characters`);
  else if (/[/\s:]/.test(value) || value === "." || value === "..") {
    report("is not the name of a network device");
  }
  return value;
}

/** The name of a device; with `+` at its end, of all that begin so. */
export function linkName(value: string, report: Report): string {
  return value.endsWith("+") && value.length > 1 ? value : interfaceName(value, report);
}

/** Six bytes in hexadecimal; `x` is a random digit. */
export function hardwareAddress(value: string, report: Report): string {
  if (/^[\da-fx]{2}(?::[\da-fx]{2}){5}$/i.test(value)) return value;
  report("is not a hardware address", value, 'as "00:16:3e:4a:b2:10" or "00:16:3e:xx:xx:xx"');
  return value;
}

const BYTE = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);

function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** RFC 4291, section 2.2. */
function isIpv6(text: string): boolean {
  const dotted = /^(.*:)([\d.]+)$/.exec(text);
  if (dotted !== null && dotted[2]!.includes(".")) {
    return isIpv4(dotted[2]!) && isIpv6(`${dotted[1]}0:0`);
  }
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.map((half) => half === "" ? [] : half.split(":"));
  const all = groups.flat();
  if (!all.every((group) => /^[\da-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? all.length < 8 : all.length === 8;
}

/** An address and the network that it is in. */
export interface Address {
  readonly address: string;
  /** Bits of the network. */
  readonly prefix: number;
  readonly broadcast?: string;
}

/** `ADDRESS[/PREFIX] [BROADCAST]`; without a prefix it is that of the address' class. */
export function ipv4Address(value: string, report: Report): Address {
  const [whole = "", broadcast, ...more] = value.split(/\s+/);
  if (more.length > 0) report("has more than an address and a broadcast address");
  if (broadcast !== undefined && !isIpv4(broadcast)) report("is not an IPv4 address", broadcast);
  const { address, prefix } = prefixed(whole, report, isIpv4, "IPv4", 32);
  return {
    address,
    prefix: prefix ?? classPrefix(address),
    ...(broadcast !== undefined && { broadcast }),
  };
}

/** RFC 791: the bits of a network of the address' class. */
function classPrefix(address: string): number {
  const first = Number(address.split(".")[0]);
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}

const IPV6_PREFIX = 64;

/** `ADDRESS[/PREFIX]`, a prefix of 64 bits without. */
export function ipv6Address(value: string, report: Report): Address {
  const { address, prefix = IPV6_PREFIX } = prefixed(value, report, isIpv6, "IPv6", 128);
  return { address, prefix };
}

function prefixed(
  value: string,
  report: Report,
  isAddress: (text: string) => boolean,
  kind: string,
  most: number,
): { address: string; prefix?: number } {
  const [address = "", prefix, ...more] = value.split("/");
  if (!isAddress(address) || more.length > 0) {
    report(`is not an ${kind} address`, more.length > 0 ? value : address);
  }
  if (prefix === undefined) return { address };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > most) {
    report(`is not a number of bits from 0 to ${most}`, prefix);
  }
  return { address, prefix: Number(prefix) };
}

/** An address, `auto` for the first one of the link, or `dev` for the device alone. */
function gateway(isAddress: (text: string) => boolean, kind: string): Parse<string> {
  return (value, report) => {
    if (value !== "auto" && value !== "dev" && !isAddress(value)) {
      report(`is not an ${kind} address, nor "auto" or "dev"`);
    }
    return value;
  };
}

export const ipv4Gateway = gateway(isIpv4, "IPv4");
export const ipv6Gateway = gateway(isIpv6, "IPv6");

function route(isAddress: (text: string) => boolean, kind: string, most: number): Parse<Address> {
  return (value, report) => {
    const { address, prefix } = prefixed(value, report, isAddress, kind, most);
    if (prefix === undefined) report("has no prefix", value, "as ADDRESS/BITS");
    return { address, prefix: prefix ?? most };
  };
}

export const ipv4Route = route(isIpv4, "IPv4", 32);
export const ipv6Route = route(isIpv6, "IPv6", 128);

/** IEEE 802.1Q: the largest id of a virtual network. */
const VLAN_MAX = 4094;

/** A number; undefined for `none`, which takes the port out of the bridge's own. */
export function bridgeVlan(value: string, report: Report): number | undefined {
  return value === "none" ? undefined : vlanId(value, (fault) => report(`${fault}, nor "none"`));
}

/** The id of a virtual network. */
export function vlanId(value: string, report: Report): number {
  const id = /^\d{1,4}$/.test(value) ? Number(value) : -1;
  if (id < 0 || id > VLAN_MAX) report(`is not a number from 0 to ${VLAN_MAX}`);
  return id;
}
