/** What a container that runs uses and has, as numbers and texts. */

import { readFile } from "../../base/files.ts";
import type { CgroupRecord } from "../../cgroup/manager.ts";
import { readStats } from "../../cgroup/stats/read.ts";
import { type Totals, totalsOf } from "../../cgroup/stats/totals.ts";
import type { SeenNetwork } from "../../net/seen.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { recordedCgroup } from "../../state/cgroup.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspect } from "../../state/inspect.ts";
import { readSystem } from "./record.ts";

/** What a container uses; absent where the host does not tell. */
export interface Usage {
  /** ns. */
  readonly cpu?: number;
  /** Bytes read and written. */
  readonly io?: number;
  /** Bytes. */
  readonly memory?: number;
  /** Bytes. */
  readonly swap?: number;
  /** Bytes of the kernel's memory. */
  readonly kernel?: number;
}

/** What its cgroup has used. */
export function usageOf(runtime: Runtime, id: string): Promise<Usage> {
  const { status } = inspect(new StateDirectory(runtime, id));
  return usageIn(recordedCgroup(runtime, status));
}

/** What a cgroup has used. */
export async function usageIn(cgroup: Pick<CgroupRecord, "path" | "paths">): Promise<Usage> {
  let totals: Totals;
  try {
    totals = totalsOf(await readStats(counting(cgroup)));
  } catch {
    return {}; // it has ended meanwhile
  }
  const { cpuTime: cpu, memory, memoryAndSwap, kernelMemory: kernel, transferred: io } = totals;
  const swap = memory === undefined || memoryAndSwap === undefined
    ? undefined
    : Math.max(0, memoryAndSwap - memory);
  return {
    io,
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
    ...(swap !== undefined && { swap }),
    ...(kernel !== undefined && { kernel }),
  };
}

/** The hierarchies of version 1 that tell of it. */
const COUNTING = ["cpuacct", "memory", "blkio"];

/** Nothing else is read: there are dozens of files. */
function counting<R extends Pick<CgroupRecord, "paths">>(record: R): R {
  const told = Object.entries(record.paths).filter(([name]) => COUNTING.includes(name));
  return told.length === 0 ? record : { ...record, paths: Object.fromEntries(told) };
}

const NO_NETWORK: SeenNetwork = { interfaces: [], ipv4: [], ipv6: [] };

/** Its network, by the pid of its init. */
export async function networkFacts(runtime: Runtime, pid: number): Promise<SeenNetwork> {
  const [{ networkOf }, { load }] = await Promise.all([
    import("../../net/seen.ts"),
    import("../../runtime/load.ts"),
  ]);
  try {
    return networkOf(await load(runtime), pid);
  } catch {
    return NO_NETWORK; // it has ended meanwhile, or is not for the caller to see
  }
}

/** What has gone through a device of the host that stands for one of a container. */
interface Traffic {
  readonly link: string;
  /** Bytes, as the container has it. */
  readonly sent: number;
  readonly received: number;
}

/** The network devices on the host that a container's depend on, in the order of its configuration. */
export function trafficOf(runtime: Runtime, id: string): Traffic[] {
  const { plan, devices = [] } = readSystem(new StateDirectory(runtime, id));
  return plan.beyond.network.flatMap(({ type, link }, place): Traffic[] => {
    const name = type === "veth" ? devices.find((one) => one.place === place)?.outside : link;
    if (name === undefined) return [];
    const [received, sent] = [counted(name, "tx_bytes"), counted(name, "rx_bytes")];
    return received === undefined || sent === undefined ? [] : [{ link: name, sent, received }];
  });
}

function counted(link: string, what: string): number | undefined {
  const text = readFile(`/sys/class/net/${link}/statistics/${what}`);
  return text === undefined ? undefined : Number(text);
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** `636.00 KiB`, as LXC writes sizes. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit + 1 < UNITS.length) [value, unit] = [value / 1024, unit + 1];
  return unit === 0 ? `${value} bytes` : `${value.toFixed(2)} ${UNITS[unit]}`;
}
