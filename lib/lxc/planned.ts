/** Plans a container from its configuration. */

import { bareReason, quote } from "../base/errors.ts";
import { detectHost } from "../cgroup/hierarchies.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { SeccompArch } from "../spec/types/config.ts";
import { lostCapabilities } from "./capabilities.ts";
import type { Finding, Given } from "./config/place.ts";
import type { Opened } from "./container.ts";
import type { LxcHost, NamedFile } from "./plan/draft.ts";
import { type Planned, planSystem } from "./plan/system.ts";

/**
 * Plans a container; findings are those of its configuration and of the files that it names.
 *
 * @param command argv of init instead of that of the configuration
 */
export async function planOpened(
  runtime: Runtime,
  opened: Opened,
  command?: readonly string[],
): Promise<Planned> {
  const { name, directory, file, config } = opened;
  const findings: Finding[] = [...opened.findings];
  const fstab = await namedFile(runtime, config.get("lxc.mount.fstab"), findings);
  const seccomp = await namedFile(runtime, config.get("lxc.seccomp.profile"), findings);
  const host = await lxcHost(runtime, seccomp);
  const { plan, findings: further } = planSystem({
    name,
    directory,
    configFile: file,
    config,
    ...(fstab && { fstab }),
    ...(seccomp && { seccomp }),
    host,
    ...(command && { command }),
  });
  return {
    plan: { ...plan, warnings: [...opened.warnings, ...plan.warnings] },
    findings: [...findings, ...further],
  };
}

async function namedFile(
  { files }: Runtime,
  given: Given<string> | undefined,
  findings: Finding[],
): Promise<NamedFile | undefined> {
  if (given === undefined) return undefined;
  try {
    return { path: given.value, text: await files.read(given.value) };
  } catch (cause) {
    findings.push({ at: given.at, message: `${quote(given.value)}: ${bareReason(cause)}` });
  }
}

/** Architectures of system calls that a kernel runs, its own first. */
const ARCHITECTURES: Readonly<Record<string, readonly SeccompArch[]>> = {
  x86_64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  aarch64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

/** What a plan depends on of this host. */
async function lxcHost(
  runtime: Runtime,
  seccomp: NamedFile | undefined,
): Promise<LxcHost> {
  // Only a profile of version 1 has numbers, which the library knows the names of.
  const numbers = seccomp !== undefined && /^\s*(?:#.*\n\s*)*1\s*$/m.test(seccomp.text);
  const library = numbers ? (await import("../../ffi/seccomp.ts")).loadSeccomp() : undefined;
  return {
    cgroup: detectHost(runtime).mode === "v2" ? "v2" : "v1",
    architectures: ARCHITECTURES[Deno.build.arch] ?? [],
    lostCapabilities: lostCapabilities(runtime),
    mountPlace: `${runtime.root}/.lxc`,
    variable: (name) => runtime.caller.variable(name),
    systemCall: (number) => library?.syscallName(library.nativeArchitecture, number),
  };
}
