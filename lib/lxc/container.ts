/** Finds a container's configuration on the host, reads it and plans from it. */

import { absolute } from "../base/absolute.ts";
import { quote, reason, RuntsError } from "../base/errors.ts";
import { statFile } from "../base/files.ts";
import { detectHost } from "../cgroup/hierarchies.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { SeccompArch } from "../spec/types/config.ts";
import { lostCapabilities } from "./capabilities.ts";
import { type Finding, findingText, type Given } from "./config/place.ts";
import { hostFiles, type ReadConfig, readConfig } from "./config/read.ts";
import type { LxcHost, NamedFile } from "./plan/draft.ts";
import { checkName, type Choice, lxcPath } from "./place.ts";
import { type Planned, planSystem } from "./plan/system.ts";

/** A container and its configuration. */
interface Opened extends ReadConfig {
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  /** Absolute path of the configuration. */
  readonly file: string;
}

/**
 * Reads a container's configuration, whatever is wrong with it. Throws RuntsError when it is not
 * there.
 */
export async function openContainer(
  runtime: Runtime,
  { name: given, lxcpath, rcfile, define = [] }: Choice,
): Promise<Opened> {
  const name = checkName(given);
  const directory = `${lxcPath(runtime, lxcpath)}/${name}`;
  const file = rcfile === undefined ? `${directory}/config` : absolute(runtime.caller, rcfile);
  if (statFile(file) === undefined) {
    throw new RuntsError(
      rcfile === undefined ? `container ${quote(name)} does not exist` : "no configuration",
      { cause: new Error(`there is no file ${file}`) },
    );
  }
  const read = await readConfig({ file, define }, hostFiles(runtime.files.read));
  return { name, directory, file, ...read };
}

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
    findings.push({ at: given.at, message: `${quote(given.value)}: ${reason(cause)}` });
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

/** Throws what is wrong with a configuration: the first finding, and how many there are. */
export function refuse(findings: readonly Finding[]): void {
  const [first, ...others] = findings;
  if (first === undefined) return;
  const noun = others.length === 1 ? "finding" : "findings";
  const more = others.length === 0
    ? ""
    : ` (and ${others.length} more ${noun}, see "runts lxc check")`;
  throw new RuntsError(findingText(first) + more);
}
