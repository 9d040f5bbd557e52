/** Containers with seccomp profiles. */

import { loadSeccomp } from "../../ffi/seccomp.ts";
import type { Config } from "./bundle.ts";
import { PROJECT } from "./runtime.ts";

/** Number of a system call on this machine. */
export function number(name: string): number {
  return loadSeccomp().syscall(name)!;
}

/** The profile that podman sends. */
export function podmanProfile(): Config {
  const path = `${PROJECT}/tests/support/configs/podman.json`;
  return JSON.parse(Deno.readTextFileSync(path)).linux.seccomp;
}

/** A profile that allows what no rule names. */
export function allowing(...syscalls: Config[]): Config {
  return { defaultAction: "SCMP_ACT_ALLOW", syscalls };
}

export function rule(name: string, action: string, more: Config = {}): Config {
  return { names: [name], action, ...more };
}

/** Edits that give a container a profile and have the payload `syscalls` make system calls. */
export function calling(
  profile: Config,
  calls: string[],
  noNewPrivileges = true,
): (config: Config) => void {
  return (config) => {
    config.process.args = ["/bin/syscalls", ...calls];
    config.process.noNewPrivileges = noNewPrivileges;
    config.linux.seccomp = profile;
  };
}
