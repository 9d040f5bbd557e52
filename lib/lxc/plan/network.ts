/** The network devices of a container. */

import type { NetSettings } from "../config/config.ts";
import type { Draft } from "./draft.ts";
import type { NetDevicePlan, Veth } from "./types.ts";

/** In the order of their indexes; the host's network has none. */
export function planNetwork(draft: Draft): NetDevicePlan[] {
  const devices: NetDevicePlan[] = [];
  for (const [index, net] of draft.config.nets()) {
    const type = net.get("type");
    if (type === undefined || type.value === "none") continue;
    const path = `beyond.network[${devices.length}]`;
    draft.from(path, type.at);
    for (const key of net.set()) draft.from(`${path}.${key}`, net.place(key));
    devices.push(planDevice(index, type.value, net));
  }
  return devices;
}

function planDevice(index: number, type: NetDevicePlan["type"], net: NetSettings): NetDevicePlan {
  return {
    index,
    type,
    up: net.get("flags") !== undefined,
    ...optional("link", net.get("link")),
    ...optional("name", net.get("name")),
    ...optional("hardwareAddress", net.get("hwaddr")),
    ...optional("mtu", net.get("mtu")),
    l2proxy: net.get("l2proxy")?.value ?? false,
    ipv4: net.all("ipv4.address").map(({ value }) => value),
    ipv6: net.all("ipv6.address").map(({ value }) => value),
    ...optional("ipv4Gateway", net.get("ipv4.gateway")),
    ...optional("ipv6Gateway", net.get("ipv6.gateway")),
    ...optional("scriptUp", net.get("script.up")),
    ...optional("scriptDown", net.get("script.down")),
    ...(type === "veth" && { veth: planVeth(net) }),
    ...(type === "vlan" && optional("vlanId", net.get("vlan.id"))),
    ...(type === "macvlan" && { macvlanMode: net.get("macvlan.mode")?.value ?? "private" }),
    ...(type === "ipvlan" && {
      ipvlan: {
        mode: net.get("ipvlan.mode")?.value ?? "l3",
        isolation: net.get("ipvlan.isolation")?.value ?? "bridge",
      },
    }),
  };
}

function planVeth(net: NetSettings): Veth {
  const vlan = net.get("veth.vlan.id");
  return {
    mode: net.get("veth.mode")?.value ?? "bridge",
    ...optional("pair", net.get("veth.pair")),
    ...optional("rxQueues", net.get("veth.n_rxqueues")),
    ...optional("txQueues", net.get("veth.n_txqueues")),
    ipv4Routes: net.all("veth.ipv4.route").map(({ value }) => value),
    ipv6Routes: net.all("veth.ipv6.route").map(({ value }) => value),
    ...(vlan && { vlan: vlan.value ?? null }),
    taggedVlans: net.all("veth.vlan.tagged.id").map(({ value }) => value),
  };
}

function optional<K extends string, T>(
  key: K,
  given: { readonly value: T } | undefined,
): { readonly [P in K]?: T } {
  return given === undefined ? {} : { [key]: given.value } as { [P in K]: T };
}
