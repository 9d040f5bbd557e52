/** Putting the device program of a v2 container into the kernel. */

import { loadBpf } from "../../../ffi/device_programs.ts";
import { ENOENT } from "../../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../../base/errors.ts";
import type { DeviceRule } from "../../spec/types/config.ts";
import { deviceProgram, encodeProgram } from "./program.ts";
import { deviceRules, type Rule } from "./rules.ts";

/** Ours among the programs of a cgroup: systemd may have its own there. */
const NAME = "runts_devices";

/**
 * Loads the program for the rules and attaches it to the cgroup. One that is there from before
 * is replaced in one step, so that at no time there is no rule, or both.
 */
export async function attachDeviceRules(
  directory: string,
  devices: readonly DeviceRule[] | undefined,
  prefix: string,
): Promise<void> {
  await attachRules(directory, deviceRules(devices, prefix), prefix);
}

/** The same for rules in their own form. */
export async function attachRules(
  directory: string,
  rules: readonly Rule[],
  prefix: string,
): Promise<void> {
  const program = encodeProgram(deviceProgram(rules));
  const bpf = await loadBpf();
  const cgroup = bpf.openDirectory(directory);
  const open = [cgroup];
  try {
    const loaded = bpf.load(program, NAME);
    open.push(loaded);
    const former = ownProgram(bpf, cgroup, open);
    bpf.attach(cgroup, loaded, former);
  } catch (error) {
    throw new RuntsError(`attach device rules to cgroup ${quote(directory)}`, {
      configPath: `${prefix}devices`,
      cause: error,
    });
  } finally {
    for (const fd of open) bpf.close(fd);
  }
}

type Bpf = Awaited<ReturnType<typeof loadBpf>>;

function ownProgram(bpf: Bpf, cgroup: number, open: number[]): number | undefined {
  for (const id of bpf.attached(cgroup)) {
    try {
      const program = bpf.openProgram(id);
      open.push(program);
      if (bpf.nameOf(program) === NAME) return program;
    } catch (error) {
      // Detached meanwhile.
      if (errnoOf(error) !== ENOENT) throw error;
    }
  }
  return undefined;
}
