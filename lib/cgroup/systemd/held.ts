/**
 * Values as a unit can hold them. systemd rounds, and on daemon-reload writes its own idea of them: so
 * the files get from the beginning what they will have then.
 */

import { PERCENT, perSecond } from "./properties.ts";
import type { CpuResources, Resources } from "../../spec/types/config.ts";
import type { Current } from "../v2/resources.ts";
import { asked, type Form, type Setting } from "../settings.ts";

const DEFAULT_PERIOD = "100000";
/** `cpu.shares` that give the weight of a cgroup that is not idle any more. */
const DEFAULT_SHARES = 1024;
const SECOND = PERCENT * 100n;

/** The same resources, with what goes together completed by what the files have now. */
export function heldByUnit(resources: Resources, current: Current): Resources {
  const { cpu, unified } = resources;
  const max = unified?.["cpu.max"];
  return {
    ...resources,
    ...(cpu && { cpu: heldCpu(cpu, current) }),
    ...(max && { unified: { ...unified, "cpu.max": heldMax(max, current) } }),
  };
}

function heldCpu(cpu: CpuResources, current: Current): CpuResources {
  const { quota, period, idle, shares } = cpu;
  // The unit knows one weight, of which 0 is idle: another one must follow it.
  const wakes = idle === 0 && !asked(shares) && current("cpu.idle") === "1";
  const woken = wakes ? { shares: DEFAULT_SHARES } : {};
  if (!asked(quota) && !asked(period)) return { ...cpu, ...woken };
  const [quotaNow, periodNow] = now(current);
  const length = BigInt(asked(period) ? period : periodNow);
  const time = BigInt(asked(quota) ? quota : quotaNow);
  // Without a quota systemd writes the default.
  const held = time < 0n ? BigInt(DEFAULT_PERIOD) : length;
  return { ...cpu, ...woken, quota: rounded(time, length), period: held };
}

/** `QUOTA PERIOD` as cpu.max has them; what is no such value is left to the kernel to refuse. */
function heldMax(text: string, current: Current): string {
  if (/^max(?:\s+\d+)?\s*$/.test(text)) return `max ${DEFAULT_PERIOD}`;
  const [, quota, period = now(current)[1]] = /^(\d+)(?:\s+(\d+))?\s*$/.exec(text) ?? [];
  return quota === undefined || BigInt(period) === 0n
    ? text
    : `${rounded(BigInt(quota), BigInt(period))} ${period}`;
}

/** Quota (-1: none) and period of the files. */
function now(current: Current): [quota: string, period: string] {
  const [quota = "", period = DEFAULT_PERIOD] = (current("cpu.max") ?? "").split(" ");
  const time = current("cpu.cfs_quota_us") ?? quota;
  return [/^\d+$/.test(time) ? time : "-1", current("cpu.cfs_period_us") ?? period];
}

function rounded(quota: bigint, period: bigint): bigint {
  return quota < 0n || period <= 0n ? quota : perSecond(quota, period) * period / SECOND;
}

/** Of IOWeight, and of BlockIOWeight. */
const WEIGHT_DEFAULT = 100;
const BLOCK_WEIGHT_MAX = 1000;
/** From the default on, so many steps of a unit's weight are one of BFQ's: 9900 / 900. */
const STEPS = 11;

/**
 * The same settings for a kernel with BFQ, for which systemd converts a unit's weight: what BFQ gets
 * of these is what was asked for. Above 181 BlockIOWeight, which ends at 1000, can give no more.
 */
export function inBfqWeights(settings: readonly Setting[]): Setting[] {
  return settings.map((setting) => {
    const bfq = setting.forms.find(({ file }) => file.endsWith(".bfq.weight"));
    if (bfq === undefined) return setting;
    const [weight = 0, key] = bfq.value.split(" ").reverse();
    const unit = unitWeight(Number(weight));
    const form: Form = key === undefined
      ? { file: "blkio.weight", value: String(Math.min(unit, BLOCK_WEIGHT_MAX)) }
      : { file: "io.weight", value: `${key} ${unit}` };
    return { ...setting, forms: [form] };
  });
}

function unitWeight(weight: number): number {
  return weight <= WEIGHT_DEFAULT ? weight : WEIGHT_DEFAULT + (weight - WEIGHT_DEFAULT) * STEPS;
}
