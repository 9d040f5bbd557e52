/**
 * The AppArmor profile that is made for one container, `lxc.apparmor.profile = generated` (apparmor.d(5)).
 * Everything is allowed but what changes the kernel that all share: where ids are mapped, the kernel itself
 * refuses most of that, and units of systemd may set their own mounts up.
 */

import type { SystemPlan } from "./types.ts";

/** Of no use to a container, and of harm to the host. */
const FILESYSTEMS = [
  "configfs",
  "debugfs",
  "devtmpfs",
  "efivarfs",
  "pstore",
  "securityfs",
  "tracefs",
];
/** Settings below /proc/sys/kernel that no namespace has for itself, wherever that is mounted. */
const SETTINGS = [
  ...["core_pattern", "core_pipe_limit", "hotplug", "kexec_load_disabled", "modprobe"],
  ...["modules_disabled", "panic*", "poweroff_cmd", "sysrq", "usermodehelper/**"],
];

/** What is denied to every container, as paths and rights. */
const DENIED: readonly (readonly [path: string, rights: string])[] = [
  ["/{,**/}kcore", "rwklx"],
  ["/{,**/}sysrq-trigger", "rwklx"],
  [`/{,**/}sys/kernel/{${SETTINGS.join(",")}}`, "wklx"],
  ["/proc/sys/{fs,vm}/**", "wklx"],
  ["/sys/firmware/**", "wklx"],
  ["/sys/kernel/{debug,security,tracing}/**", "wklx"],
];

/** As LXC calls it; messages of the kernel name it. */
export function profileName({ name, directory }: SystemPlan): string {
  return `lxc-${name}_<${directory.slice(0, -name.length - 1)}>`;
}

/** The text of the profile. */
export function profileText(plan: SystemPlan): string {
  const { spec: { linux }, beyond: { security: { apparmor } } } = plan;
  const mapped = (linux?.uidMappings?.length ?? 0) > 0;
  const rules = [
    ...["capability", "dbus", "file", "mount", "network", "pivot_root"],
    ...["ptrace", "signal", "umount", "unix"],
    ...(apparmor.nesting ? ["change_profile"] : []),
    ...(mapped ? [] : [`deny mount fstype={${FILESYSTEMS.join(",")}}`]),
    ...DENIED.map(([path, rights]) => `deny ${path} ${rights}`),
  ].map((rule) => `${rule},`);
  const lines = [...rules, ...apparmor.raw].map((line) => `  ${line}\n`).join("");
  const flags = "flags=(attach_disconnected,mediate_deleted)";
  return `profile ${JSON.stringify(profileName(plan))} ${flags} {\n${lines}}\n`;
}
