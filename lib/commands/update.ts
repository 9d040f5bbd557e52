import { parseInteger, parseSize } from "../cli/size.ts";
import { defineCommand, longName, type Options, type OptionValues } from "../cli/types.ts";
import { update } from "../container/update.ts";
import { parseResources } from "../spec/load.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Resources } from "../spec/types/config.ts";
import { givenText } from "./given_text.ts";
import { CONTAINER } from "./shared.ts";

const LIMITS = {
  memory: { value: "BYTES", description: 'limit of memory, as "512m"; -1: none' },
  memoryReservation: { value: "BYTES", description: "memory that is left when it is scarce" },
  memorySwap: { value: "BYTES", description: "limit of memory and swap together; -1: none" },
  cpuShare: { value: "N", description: "share of the CPUs, relative to other containers" },
  cpuQuota: { value: "US", description: "CPU time in a period, in microseconds; -1: no limit" },
  cpuPeriod: { value: "US", description: "length of a period, in microseconds" },
  cpuBurst: { value: "US", description: "CPU time that may be saved up, in microseconds" },
  cpuRtRuntime: { value: "US", description: "real-time CPU time in a period, in microseconds" },
  cpuRtPeriod: { value: "US", description: "length of a real-time period, in microseconds" },
  cpuIdle: { value: "0|1", description: "1: run only when nobody else wants the CPU" },
  cpusetCpus: { value: "LIST", description: "the CPUs to use, as 0-3,7" },
  cpusetMems: { value: "LIST", description: "the memory nodes to use, as 0-1" },
  pidsLimit: { value: "N", description: "limit of processes and threads; -1: none" },
  blkioWeight: { value: "N", description: "share of block devices: 10 to 1000" },
  kernelMemory: { value: "BYTES", description: "accepted and ignored", hidden: true },
  kernelMemoryTcp: { value: "BYTES", description: "accepted and ignored", hidden: true },
} as const satisfies Options;

type Limits = OptionValues<typeof LIMITS>;

export const command = defineCommand({
  name: "update",
  group: "live",
  summary: "change the limits of a container",
  description: [
    "Limits that are not given stay as they are. With --resources, which takes the resources " +
    "document of the specification, all other limits of the command line are ignored.",
  ],
  arguments: { id: CONTAINER },
  options: {
    resources: {
      short: "r",
      value: "FILE",
      description: "read them from a JSON file; -: from the standard input",
      complete: "file",
    },
    ...LIMITS,
    l3CacheSchema: { value: "SCHEMA", description: "cache of the CPU, as L3:0=f (Intel RDT)" },
    memBwSchema: { value: "SCHEMA", description: "memory bandwidth, as MB:0=50 (Intel RDT)" },
  },
  examples: [
    {
      text: "half a CPU and less memory",
      command: "runts update --cpu-quota 50000 --memory 256m web",
    },
    { text: "from a program", command: `echo '{"pids":{"limit":50}}' | runts update -r - web` },
  ],
  async run({ runtime, args, options }) {
    const { resources: file, l3CacheSchema, memBwSchema, ...limits } = options;
    const intelRdt = given({ l3CacheSchema, memBwSchema });
    await update(runtime, {
      ...args,
      resources: file === undefined ? resourcesOf(limits) : await readResources(runtime, file),
      ...(intelRdt && { intelRdt }),
    });
  },
});

async function readResources(runtime: Runtime, file: string): Promise<Resources> {
  const { text, name } = await givenText(runtime, file);
  return parseResources(text, name);
}

/**
 * The resources document that options stand for.
 * @internal Exported for tests.
 */
export function resourcesOf(options: Limits): Resources {
  const number = (key: keyof Limits) => of(options, key, parseInteger);
  const size = (key: keyof Limits) => of(options, key, parseSize);
  const weight = number("blkioWeight");
  const idle = number("cpuIdle");
  const limit = number("pidsLimit");
  const memory = given({
    limit: size("memory"),
    reservation: size("memoryReservation"),
    swap: size("memorySwap"),
  });
  const cpu = given({
    shares: number("cpuShare"),
    quota: number("cpuQuota"),
    period: number("cpuPeriod"),
    burst: number("cpuBurst"),
    realtimeRuntime: number("cpuRtRuntime"),
    realtimePeriod: number("cpuRtPeriod"),
    idle: idle === undefined ? undefined : Number(idle),
    cpus: options.cpusetCpus,
    mems: options.cpusetMems,
  });
  return {
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(limit !== undefined && { pids: { limit } }),
    ...(weight !== undefined && { blockIO: { weight: Number(weight) } }),
  };
}

function of(
  options: Limits,
  key: keyof Limits,
  parse: (what: string, text: string) => number | bigint,
): number | bigint | undefined {
  const text = options[key];
  return text === undefined ? undefined : parse(`option "--${longName(key)}"`, text);
}

/** What has a value; undefined when nothing has. */
function given<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } | undefined {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}
