/** `doctor`: what this host can do of what configurations and options may ask for. */

import { type Runtime, runtimeOf, type RuntimeOrSettings } from "../runtime/runtime.ts";
import { CGROUPS } from "./cgroups.ts";
import { type Area, AREAS, type Checks, type Finding, type Host } from "./findings.ts";
import { KERNEL } from "./kernel.ts";
import { SECURITY } from "./security.ts";
import { TOOLS } from "./tools.ts";
import { USERS } from "./users.ts";

const CHECKS: Readonly<Record<Area, Checks>> = {
  kernel: KERNEL,
  cgroups: CGROUPS,
  users: USERS,
  security: SECURITY,
  tools: TOOLS,
};

/** What {@linkcode doctor} looks at. */
export interface DoctorOptions {
  /** What to look at; default everything. */
  readonly areas?: readonly Area[];
  /** The criu executable; default that of the caller's PATH. */
  readonly criu?: string;
}

/** Looks at the host, as the caller sees it. */
export async function doctor(
  given: RuntimeOrSettings = {},
  { areas = AREAS, criu = "criu" }: DoctorOptions = {},
): Promise<Finding[]> {
  const runtime: Runtime = runtimeOf(given);
  const { hostOf } = await import("./host.ts");
  return examine(await hostOf(runtime, criu), areas);
}

/** The findings on a host, area by area. */
export function examine(host: Host, areas: readonly Area[] = AREAS): Finding[] {
  return AREAS.filter((area) => areas.includes(area)).flatMap((area) =>
    Object.entries(CHECKS[area]).flatMap(([name, check]): Finding[] => {
      const finding = check(host);
      return finding === undefined ? [] : [{ area, name, ...finding }];
    })
  );
}
