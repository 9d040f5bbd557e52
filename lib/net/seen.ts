/** What is to be seen of the network of a process. */

import { type NetlinkSocket, openNetlink } from "../../ffi/net.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { ipText } from "./ip.ts";
import { addresses, addressParts, IFF_LOOPBACK, links } from "./links.ts";

/** The devices of a network namespace and their addresses. */
export interface SeenNetwork {
  /** Names of all devices. */
  readonly interfaces: readonly string[];
  /** Addresses of global scope; none of the loopback device. */
  readonly ipv4: readonly string[];
  /** The same of IPv6. */
  readonly ipv6: readonly string[];
}

/** Looks at the network namespace of a process. */
export function networkOf({ helper }: LoadedRuntime, pid: number): SeenNetwork {
  const netns = helper.open(`/proc/${pid}/ns/net`, 0);
  try {
    using socket = openNetlink(helper, netns);
    return seen(socket);
  } finally {
    helper.close(netns);
  }
}

function seen(socket: NetlinkSocket): SeenNetwork {
  const devices = links(socket);
  const loopback = devices.filter(({ flags }) => flags & IFF_LOOPBACK).map(({ index }) => index);
  const texts = (length: number) =>
    addresses(socket).map(addressParts).flatMap(({ index, bytes, isGlobal }) =>
      bytes.length === length && isGlobal && !loopback.includes(index) ? [ipText(bytes)] : []
    );
  return { interfaces: devices.map(({ name }) => name), ipv4: texts(4), ipv6: texts(16) };
}
