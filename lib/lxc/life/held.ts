/** The namespaces of a container: its monitor holds them until all has been taken down. */

import type { Monitor } from "../../body/monitor_client.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import type { NamespaceType } from "../../spec/types/config.ts";
import type { SystemPlan } from "../plan/types.ts";

/** The kernel's names, which are LXC's, too, in its order. */
const NAMES: readonly (readonly [type: NamespaceType, name: string])[] = [
  ["user", "user"],
  ["mount", "mnt"],
  ["pid", "pid"],
  ["uts", "uts"],
  ["ipc", "ipc"],
  ["network", "net"],
  ["cgroup", "cgroup"],
  ["time", "time"],
];

/** Has the monitor hold those that are not the host's; gives its descriptors. */
export async function holdNamespaces(
  { helper }: LoadedRuntime,
  monitor: Monitor,
  { spec: { linux } }: SystemPlan,
  pid: number,
): Promise<Record<string, number>> {
  const own = NAMES.filter(([type]) => linux?.namespaces?.some((one) => one.type === type));
  using open = new DisposableStack();
  const fds = own.map(([, name]) =>
    open.adopt(helper.open(`/proc/${pid}/ns/${name}`, 0), helper.close)
  );
  const numbers = await monitor.hold(fds);
  return Object.fromEntries(own.map(([, name], index) => [name, numbers[index]!]));
}

/** Where they are to be found: paths by name. */
export function heldPaths(
  held: Readonly<Record<string, number>> | undefined,
  monitor: number,
): Record<string, string> {
  const entries = Object.entries(held ?? {});
  return Object.fromEntries(entries.map(([name, fd]) => [name, `/proc/${monitor}/fd/${fd}`]));
}
