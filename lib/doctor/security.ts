/** Filters of system calls, and security modules. */

import { type Checks, type Host, works } from "./findings.ts";

const ACTIONS = "/proc/sys/kernel/seccomp/actions_avail";
const APPARMOR = "/sys/module/apparmor/parameters/enabled";
const SELINUX = "/sys/fs/selinux/enforce";

export const SECURITY: Checks = {
  seccomp: ({ text }) => {
    const actions = text(ACTIONS)?.split(" ");
    if (actions?.includes("user_notif")) return works(actions.join(" "));
    if (actions === undefined) {
      return {
        condition: "missing",
        found: `no ${ACTIONS}`,
        effect: "linux.seccomp will not work",
        remedy: "use a kernel with CONFIG_SECCOMP_FILTER",
      };
    }
    return {
      condition: "missing",
      found: actions.join(" "),
      effect: "SCMP_ACT_NOTIFY will not work",
      remedy: "install a kernel of Linux 5.12 or newer",
    };
  },
  libseccomp: ({ libseccomp }) => {
    if (libseccomp !== undefined) return works(libseccomp);
    return {
      condition: "missing",
      found: "libseccomp.so.2 cannot be loaded",
      effect: "linux.seccomp will not work, but for filters that are in the cache",
      remedy: "install the package libseccomp2 (libseccomp elsewhere)",
    };
  },
  apparmor: (host) => {
    const effect = "process.apparmorProfile will not work";
    if (!hasAppArmor(host)) {
      if (hasSelinux(host)) return { condition: "note", found: "SELinux is in its place", effect };
      return {
        condition: "missing",
        found: "neither AppArmor nor SELinux",
        effect: "process.apparmorProfile and process.selinuxLabel will not work",
        remedy: "boot with security=apparmor or security=selinux, as the distribution has it",
      };
    }
    if (host.has("/sys/kernel/security/apparmor")) return works("it is on");
    return {
      condition: "note",
      found: "/sys/kernel/security is not mounted",
      effect: "profiles cannot be listed from here",
      remedy: "mount -t securityfs securityfs /sys/kernel/security",
    };
  },
  selinux: (host) => {
    if (hasSelinux(host)) {
      return works(host.text(SELINUX) === "1" ? "it is enforced" : "it permits everything");
    }
    if (!hasAppArmor(host)) return undefined; // told of above
    return {
      condition: "note",
      found: "AppArmor is in its place",
      effect: "process.selinuxLabel and linux.mountLabel will not work",
    };
  },
};

function hasAppArmor({ text }: Host): boolean {
  return text(APPARMOR) === "Y";
}

function hasSelinux({ has }: Host): boolean {
  return has(SELINUX);
}
