/** Plans of configurations, for tests of lib/lxc. */

import { assertEquals } from "@std/assert";
import { findingText } from "../../lib/lxc/config/place.ts";
import { readConfig } from "../../lib/lxc/config/read.ts";
import type { PlanInput } from "../../lib/lxc/plan/draft.ts";
import { type Planned, planSystem } from "../../lib/lxc/plan/system.ts";

/** A host of cgroup v1. */
export const HOST: PlanInput["host"] = {
  cgroup: "v1",
  architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  variable: (name) => ({ HOME: "/root" })[name],
  systemCall: (number) => ["read", "write"][number],
  mountPlace: "/run/runts/.lxc",
  lostCapabilities: [],
};

/** The plan of a text that can be read. */
async function planned(text: string, more: Partial<PlanInput> = {}): Promise<Planned> {
  const { config, findings } = await readConfig({ file: "/c/config" }, {
    read: () => text,
    list: () => undefined,
  });
  assertEquals(findings.map(findingText), []);
  return planSystem({
    name: "web",
    directory: "/c",
    configFile: "/c/config",
    config,
    host: HOST,
    ...more,
  });
}

/** The plan of a text that has no faults. */
export async function sound(text: string, more: Partial<PlanInput> = {}): Promise<Planned["plan"]> {
  const { plan: made, findings } = await planned(text, more);
  assertEquals(findings.map(findingText), []);
  return made;
}

/** What is wrong with a text. */
export async function faults(text: string, more: Partial<PlanInput> = {}): Promise<string[]> {
  return (await planned(text, more)).findings.map(findingText);
}
