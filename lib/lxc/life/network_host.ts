/** What the host does for the network devices of a system container: ports of bridges, routes, proxies. */

import type { NetlinkSocket } from "../../../ffi/net.ts";
import { quote, reason, RuntsError } from "../../base/errors.ts";
import { readFile } from "../../base/files.ts";
import { findLink, type Link } from "../../net/links.ts";
import {
  addPortVlan,
  addProxy,
  addRoute,
  changeLink,
  removePortVlan,
  removeProxy,
} from "../../net/make_links.ts";
import type { NetDevicePlan, Veth } from "../plan/types.ts";

/** The device of the host that one depends on. */
export function parentOf(socket: NetlinkSocket, { link: name, type }: NetDevicePlan): Link {
  if (name === undefined) throw new RuntsError(`a device of type ${type} needs a link`);
  const link = findLink(socket, name);
  if (link !== undefined) return link;
  throw new RuntsError(`network device ${quote(name)} does not exist`);
}

/** What a pair is a port of, or, of one that routes, what its device stands for. */
export function bridgeOf(socket: NetlinkSocket, device: NetDevicePlan): Link {
  const link = parentOf(socket, device);
  if (device.veth?.mode === "router" || link.kind === "bridge") return link;
  throw new RuntsError(`network device ${quote(link.name)} is no bridge`, {
    hint: "an Open vSwitch is not supported",
  });
}

/** The host's end of a pair: a port of the bridge, with the routes that are asked for. */
export function joinHost(
  { warn }: { readonly warn: (message: string) => void },
  socket: NetlinkSocket,
  device: NetDevicePlan,
  pair: string,
): void {
  const { veth } = device;
  const end = findLink(socket, pair)!;
  const isRouter = veth?.mode === "router";
  if (device.link !== undefined && !isRouter) {
    changeLink(socket, end, { master: bridgeOf(socket, device).index });
    withoutIpv6(pair, warn);
    joinVlans(socket, end, device.link, veth!);
  }
  changeLink(socket, end, { up: true });
  const own = isRouter ? [...device.ipv4, ...device.ipv6].map(toHost) : [];
  for (const to of [...veth?.ipv4Routes ?? [], ...veth?.ipv6Routes ?? [], ...own]) {
    addRoute(socket, end, { to });
  }
}

/** The network of one address. */
export function toHost({ address }: { readonly address: string }): {
  address: string;
  prefix: number;
} {
  return { address, prefix: address.includes(":") ? 128 : 32 };
}

/** The port of a bridge has no addresses of its own. */
function withoutIpv6(name: string, warn: (message: string) => void): void {
  try {
    Deno.writeTextFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) warn(`disable IPv6 of ${name}: ${reason(error)}`);
  }
}

/** The virtual networks of a port; the bridge puts each into the one of its own first. */
function joinVlans(
  socket: NetlinkSocket,
  port: Link,
  bridge: string,
  { vlan, taggedVlans }: Veth,
): void {
  if (vlan === undefined && taggedVlans.length === 0) return;
  const setting = (name: string) => readFile(`/sys/class/net/${bridge}/bridge/${name}`)?.trim();
  if (setting("vlan_filtering") !== "1") {
    throw new RuntsError(`bridge ${quote(bridge)} knows no virtual networks`, {
      hint: `ip link set ${bridge} type bridge vlan_filtering 1`,
    });
  }
  const usual = Number(setting("default_pvid") ?? 0);
  if (vlan !== undefined && usual > 0 && vlan !== usual) removePortVlan(socket, port, usual);
  if (vlan !== undefined && vlan !== null) addPortVlan(socket, port, { id: vlan, untagged: true });
  for (const id of taggedVlans) addPortVlan(socket, port, { id, untagged: false });
}

/** What a link that answers for others must be allowed to do. */
const ALLOWED = {
  ipv4: ["forwarding"],
  ipv6: ["forwarding", "proxy_ndp"],
} as const;

interface Outside {
  readonly outside: { readonly socket: NetlinkSocket };
}

/** The link answers for the addresses of a device that is behind it. */
export function answerFor({ outside: { socket } }: Outside, device: NetDevicePlan): void {
  const link = parentOf(socket, device);
  for (const family of ["ipv4", "ipv6"] as const) {
    if (device[family].length > 0) checkAllowed(link.name, family);
    for (const { address } of device[family]) addProxy(socket, link, address);
  }
}

function checkAllowed(link: string, family: "ipv4" | "ipv6"): void {
  for (const name of ALLOWED[family]) {
    if (readFile(`/proc/sys/net/${family}/conf/${link}/${name}`)?.trim() === "1") continue;
    throw new RuntsError(`network device ${quote(link)} does not answer for others`, {
      hint: `sysctl net.${family}.conf.${link}.${name}=1`,
    });
  }
}

/** It does not any more; what is gone already is no failure. */
export function answerNoMore({ outside: { socket } }: Outside, device: NetDevicePlan): void {
  const link = device.link === undefined ? undefined : findLink(socket, device.link);
  if (link === undefined) return;
  for (const { address } of [...device.ipv4, ...device.ipv6]) {
    try {
      removeProxy(socket, link, address);
    } catch {
      // as said above
    }
  }
}
