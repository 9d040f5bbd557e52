/** `checkconfig`: which features of the kernel are there. */

import type { Runtime } from "../runtime/runtime.ts";
import { readFile, statFile } from "../base/files.ts";
import { pathFrom } from "../base/paths.ts";
import { detectHost } from "../cgroup/hierarchies.ts";

/**
 * A feature: an option of the kernel's configuration, and a file of a kernel that has it; one that is not absolute is
 * in the caller's directory of /proc.
 */
type Feature = readonly [name: string, option: string, file?: string];

const SECTIONS: readonly (readonly [title: string, features: readonly Feature[]])[] = [
  ["Namespaces", [
    ["Namespaces", "CONFIG_NAMESPACES", "ns"],
    ["Utsname namespace", "CONFIG_UTS_NS", "ns/uts"],
    ["Ipc namespace", "CONFIG_IPC_NS", "ns/ipc"],
    ["Pid namespace", "CONFIG_PID_NS", "ns/pid"],
    ["User namespace", "CONFIG_USER_NS", "ns/user"],
    ["Network namespace", "CONFIG_NET_NS", "ns/net"],
    ["Time namespace", "CONFIG_TIME_NS", "ns/time"],
    ["Cgroup namespace", "CONFIG_CGROUPS", "ns/cgroup"],
  ]],
  ["Misc", [
    ["Veth pair device", "CONFIG_VETH"],
    ["Macvlan", "CONFIG_MACVLAN"],
    ["Ipvlan", "CONFIG_IPVLAN"],
    ["Vlan", "CONFIG_VLAN_8021Q"],
    ["Bridges", "CONFIG_BRIDGE"],
    ["Overlay", "CONFIG_OVERLAY_FS"],
    ["Seccomp", "CONFIG_SECCOMP_FILTER", "/proc/sys/kernel/seccomp"],
    ["FUSE (for use with lxcfs)", "CONFIG_FUSE_FS"],
  ]],
];

/** A text with a line for each feature: `Veth pair device: enabled`. */
export async function checkKernel(runtime: Runtime): Promise<string> {
  const config = await kernelConfig(runtime);
  const sections = SECTIONS.map(([title, features]) =>
    section(
      title,
      features.map(([name, option, file]) =>
        `${name}: ${state(config, option, file && pathFrom(runtime.caller.proc, file))}`
      ),
    )
  );
  return [sections[0], section("Control groups", cgroups(runtime)), ...sections.slice(1)].join(
    "\n",
  );
}

function section(title: string, lines: readonly string[]): string {
  return `--- ${title} ---\n${lines.map((line) => `${line}\n`).join("")}`;
}

function state(config: string | undefined, option: string, file: string | undefined): string {
  if (file !== undefined && statFile(file) !== undefined) return "enabled";
  if (config === undefined) return file === undefined ? "unknown" : "missing";
  return new RegExp(`^${option}=[ym]$`, "m").test(config) ? "enabled" : "missing";
}

function cgroups(runtime: Runtime): string[] {
  const { mode, hierarchies } = detectHost(runtime);
  const mounts = (unified: boolean) => [
    ...new Set(
      hierarchies.filter(({ controller }) => (controller === "") === unified)
        .map(({ mountPoint }) => ` - ${mountPoint}`),
    ),
  ];
  return [
    `Cgroups: ${mode}`,
    "Cgroup v1 mount points:",
    ...mounts(false),
    "Cgroup v2 mount points:",
    ...mounts(true),
  ];
}

async function kernelConfig({ caller }: Runtime): Promise<string | undefined> {
  const named = caller.variable("CONFIG");
  const files = named ? [named] : [`/boot/config-${Deno.osRelease()}`, "/proc/config.gz"];
  for (const file of files) {
    if (statFile(file) === undefined) continue;
    return file.endsWith(".gz") ? await unpacked(file) : readFile(file);
  }
}

async function unpacked(file: string): Promise<string> {
  const packed = new Blob([Deno.readFileSync(file)]).stream();
  return await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
}
