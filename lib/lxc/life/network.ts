/** The network of a system container: its devices are made before it runs, and taken down at its end. */

import { type NetlinkSocket, openNetlink } from "../../../ffi/net.ts";
import { isRuntsError, quote, reason, RuntsError } from "../../base/errors.ts";
import {
  addresses,
  addressParts,
  findLink,
  IFF_UP,
  type Link,
  links,
  moveLink,
} from "../../net/links.ts";
import { ipText } from "../../net/ip.ts";
import {
  addRoute,
  changeLink,
  giveAddress,
  makeLink,
  type NewLink,
  removeLink,
  uint16,
} from "../../net/make_links.ts";
import { uint32 } from "../../net/netlink.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { scriptCall } from "../plan/hook_call.ts";
import type { NetDevicePlan, SystemPlan } from "../plan/types.ts";
import { runCall } from "./hooks.ts";
import { answerFor, answerNoMore, bridgeOf, joinHost, parentOf, toHost } from "./network_host.ts";

/** A device that was made or moved for a container. */
export interface MadeDevice {
  /** Its place in the plan. */
  readonly place: number;
  readonly type: NetDevicePlan["type"];
  /** Inside. */
  readonly name: string;
  /** On the host: the other end of a pair, or what a device was called that was moved. */
  readonly outside?: string;
}

/** A network namespace: a descriptor, and a socket that speaks about it. */
interface Side {
  readonly netns: number;
  readonly socket: NetlinkSocket;
}

/** The host, and the container. */
export class Networks implements Disposable {
  readonly outside: Side;
  readonly inside: Side;
  readonly #open = new DisposableStack();

  /** @param path of the network namespace of the container */
  constructor({ helper, caller }: LoadedRuntime, path: string) {
    const side = (file: string, isOurs: boolean) => {
      const netns = this.#open.adopt(helper.open(file, 0), helper.close);
      return { netns, socket: this.#open.use(openNetlink(helper, isOurs ? -1 : netns)) };
    };
    this.outside = side(`${caller.proc}/ns/net`, true);
    this.inside = side(path, false);
  }

  [Symbol.dispose](): void {
    this.#open.dispose();
  }
}

/** Makes all devices, in their order; when one cannot be made, those before it are taken down. */
export async function makeNetwork(
  runtime: LoadedRuntime,
  plan: SystemPlan,
  networks: Networks,
): Promise<MadeDevice[]> {
  const made: MadeDevice[] = [];
  try {
    for (const [place, device] of plan.beyond.network.entries()) {
      await inItsPlace(place, async () => {
        await makeDevice(runtime, plan, networks, { place, device, made });
      });
    }
    return made;
  } catch (error) {
    await takeDown(runtime, plan, networks, made);
    throw error;
  }
}

async function inItsPlace(place: number, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!isRuntsError(error) || error.data.configPath !== undefined) throw error;
    throw error.with({ configPath: `beyond.network[${place}]` });
  }
}

interface Making {
  readonly place: number;
  readonly device: NetDevicePlan;
  readonly made: MadeDevice[];
}

async function makeDevice(
  runtime: LoadedRuntime,
  plan: SystemPlan,
  networks: Networks,
  { place, device, made }: Making,
): Promise<void> {
  const { type } = device;
  const { inside } = networks;
  if (type === "empty") return await runScript(runtime, plan, { place, type, name: "lo" }, "up");
  const name = device.name ?? freeName(inside.socket);
  const outside = attach(networks, device, name);
  const one = { place, type, name, ...(outside !== undefined && { outside }) };
  made.push(one);
  if (type === "veth") joinHost(runtime, networks.outside.socket, device, outside!);
  if (device.l2proxy) answerFor(networks, device);
  await runScript(runtime, plan, one, "up");
  const link = findLink(inside.socket, name);
  if (link === undefined) {
    throw new RuntsError(`find network device ${quote(name)} in the container`);
  }
  configure(networks, device, link);
}

/** eth0 and so on. */
function freeName(socket: NetlinkSocket): string {
  const taken = new Set(links(socket).map(({ name }) => name));
  for (let number = 0;; number++) {
    if (!taken.has(`eth${number}`)) return `eth${number}`;
  }
}

/** Makes a device, or moves one; gives the name that is of use on the host. */
function attach(
  { outside, inside }: Networks,
  device: NetDevicePlan,
  name: string,
): string | undefined {
  const { type, mtu } = device;
  const { socket } = outside;
  const address = device.hardwareAddress === undefined
    ? undefined
    : addressOf(device.hardwareAddress);
  const basics = {
    name,
    netns: inside.netns,
    ...(address && { address }),
    ...(mtu !== undefined && { mtu }),
  };
  switch (type) {
    case "veth": {
      const pair = device.veth?.pair ?? `veth${randomText()}`;
      makeLink(socket, pairOf(socket, device, pair, basics));
      return pair;
    }
    case "phys": {
      const link = parentOf(socket, device);
      moveLink(socket, link, inside.netns, name);
      return link.name;
    }
    default:
      makeLink(socket, {
        ...basics,
        kind: type,
        parent: parentOf(socket, device).index,
        data: dataOf(device),
      });
  }
}

type Basics = NonNullable<NewLink["peer"]>;

/** The host's end first; the other one is made where it is to be. */
function pairOf(
  socket: NetlinkSocket,
  device: NetDevicePlan,
  pair: string,
  basics: Basics,
): NewLink {
  const bridge = device.link === undefined ? undefined : bridgeOf(socket, device);
  const mtu = device.mtu ?? bridge?.mtu;
  const { rxQueues, txQueues } = device.veth ?? {};
  const queues = {
    ...(rxQueues !== undefined && { rxQueues }),
    ...(txQueues !== undefined && { txQueues }),
  };
  const size = mtu === undefined ? {} : { mtu };
  return {
    kind: "veth",
    name: pair,
    // A bridge takes the lowest address of its ports: not this one.
    address: addressOf("fe:xx:xx:xx:xx:xx"),
    ...size,
    ...queues,
    peer: { ...basics, ...size, ...queues },
  };
}

const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
const IPVLAN_MODES = { l2: 0, l3: 1, l3s: 2 } as const;
const IPVLAN_FLAGS: Readonly<Record<string, number>> = { bridge: 0, private: 1, vepa: 2 };
const FIRST = 1;
const SECOND = 2;

/** IFLA_MACVLAN_MODE, IFLA_IPVLAN_MODE and IFLA_IPVLAN_FLAGS, IFLA_VLAN_ID (if_link.h). */
function dataOf({ macvlanMode, ipvlan, vlanId }: NetDevicePlan): NewLink["data"] & object {
  if (macvlanMode !== undefined) return [[FIRST, uint32(MACVLAN_MODES[macvlanMode])]];
  if (vlanId !== undefined) return [[FIRST, uint16(vlanId)]];
  if (ipvlan === undefined) return [];
  return [
    [FIRST, uint16(IPVLAN_MODES[ipvlan.mode])],
    [SECOND, uint16(IPVLAN_FLAGS[ipvlan.isolation] ?? 0)],
  ];
}

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Six characters. */
function randomText(): string {
  const numbers = crypto.getRandomValues(new Uint8Array(6));
  return Array.from(numbers, (number) => LETTERS[number % LETTERS.length]).join("");
}

/** Six bytes; an `x` is any digit. */
function addressOf(text: string): Uint8Array {
  const digit = () => (crypto.getRandomValues(new Uint8Array(1))[0]! & 0xf).toString(16);
  return Uint8Array.from(text.replaceAll(/x/gi, digit).split(":"), (byte) => parseInt(byte, 16));
}

/** Addresses, state and routes of a device that has arrived. */
function configure(
  { outside, inside: { socket } }: Networks,
  device: NetDevicePlan,
  link: Link,
): void {
  const { type, mtu, hardwareAddress, up } = device;
  if (type === "phys" && (mtu !== undefined || hardwareAddress !== undefined)) {
    changeLink(socket, link, {
      ...(mtu !== undefined && { mtu }),
      ...(hardwareAddress !== undefined && { address: addressOf(hardwareAddress) }),
    });
  }
  for (const address of [...device.ipv4, ...device.ipv6]) giveAddress(socket, link, address);
  if (!up) return;
  changeLink(socket, link, { up: true });
  for (const family of ["ipv4", "ipv6"] as const) {
    const gateway = device[`${family}Gateway`];
    if (gateway === undefined) continue;
    if (gateway === "dev") addRoute(socket, link, { family });
    else addGateway(socket, link, gatewayOf(outside.socket, device, gateway, family));
  }
}

/** `auto`: the first address of the device on the host. */
function gatewayOf(
  socket: NetlinkSocket,
  device: NetDevicePlan,
  gateway: string,
  family: "ipv4" | "ipv6",
): string {
  if (gateway !== "auto") return gateway;
  const link = parentOf(socket, device);
  const length = family === "ipv4" ? 4 : 16;
  const found = addresses(socket).map(addressParts).find(({ index, bytes, isGlobal }) =>
    index === link.index && bytes.length === length && isGlobal
  );
  if (found !== undefined) return ipText(found.bytes);
  throw new RuntsError(`network device ${quote(link.name)} has no ${family} address for a gateway`);
}

/** One outside of the device's networks needs a route of its own first. */
function addGateway(socket: NetlinkSocket, link: Link, gateway: string): void {
  try {
    addRoute(socket, link, { gateway });
  } catch {
    addRoute(socket, link, { to: toHost({ address: gateway }) });
    addRoute(socket, link, { gateway });
  }
}

/** Takes devices down, the last one first; nothing keeps the others from being tried. */
export async function takeDown(
  runtime: LoadedRuntime,
  plan: SystemPlan,
  networks: Networks,
  made: readonly MadeDevice[],
): Promise<void> {
  for (const one of made.toReversed()) {
    try {
      await runScript(runtime, plan, one, "down");
    } catch (error) {
      runtime.warn(reason(error));
    }
    try {
      const device = plan.beyond.network[one.place]!;
      if (device.l2proxy) answerNoMore(networks, device);
      remove(networks, one);
    } catch (error) {
      runtime.warn(reason(error));
    }
  }
}

function remove(
  { outside, inside }: Networks,
  { type, name, outside: hostName }: MadeDevice,
): void {
  if (type === "veth") {
    const end = findLink(outside.socket, hostName!);
    if (end?.kind === "veth") removeLink(outside.socket, end);
    return;
  }
  const link = findLink(inside.socket, name);
  if (link === undefined) return;
  if (type !== "phys") return removeLink(inside.socket, link);
  if (link.flags & IFF_UP) changeLink(inside.socket, link, { up: false });
  moveLink(inside.socket, link, outside.netns, hostName!);
}

async function runScript(
  runtime: LoadedRuntime,
  plan: SystemPlan,
  { place, outside, type }: MadeDevice,
  when: "up" | "down",
): Promise<void> {
  const device = plan.beyond.network[place]!;
  const peer = type === "veth" ? outside : undefined;
  const call = scriptCall(plan, device, when, { ...(peer !== undefined && { peer }) });
  if (call === undefined) return;
  const [command, key] = when === "up"
    ? [device.scriptUp!, "script.up"]
    : [device.scriptDown!, "script.down"];
  await runCall(runtime, command, call, `beyond.network[${place}].${key}`);
}
