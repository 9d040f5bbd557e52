/** The names that keys had before LXC 2.1, and keys that have gone. */

/** Old names and those of today. */
const RENAMED: Readonly<Record<string, string>> = {
  "lxc.aa_allow_incomplete": "lxc.apparmor.allow_incomplete",
  "lxc.aa_profile": "lxc.apparmor.profile",
  "lxc.console": "lxc.console.path",
  "lxc.devttydir": "lxc.tty.dir",
  "lxc.haltsignal": "lxc.signal.halt",
  "lxc.id_map": "lxc.idmap",
  "lxc.init_cmd": "lxc.init.cmd",
  "lxc.init_gid": "lxc.init.gid",
  "lxc.init_uid": "lxc.init.uid",
  "lxc.limit": "lxc.prlimit",
  "lxc.logfile": "lxc.log.file",
  "lxc.loglevel": "lxc.log.level",
  "lxc.mount": "lxc.mount.fstab",
  "lxc.pts": "lxc.pty.max",
  "lxc.rebootsignal": "lxc.signal.reboot",
  "lxc.rootfs": "lxc.rootfs.path",
  "lxc.se_context": "lxc.selinux.context",
  "lxc.seccomp": "lxc.seccomp.profile",
  "lxc.stopsignal": "lxc.signal.stop",
  "lxc.syslog": "lxc.log.syslog",
  "lxc.tty": "lxc.tty.max",
  "lxc.utsname": "lxc.uts.name",
};

/** Keys that mean nothing any more, and why. */
const GONE: Readonly<Record<string, string>> = {
  "lxc.kmsg": "/dev/kmsg is not linked to the console any more",
  "lxc.pivotdir": "the old root is not put anywhere any more",
};

/** Names of devices' keys behind `lxc.network.`, where they differ. */
const NET_RENAMED: Readonly<Record<string, string>> = {
  ipv4: "ipv4.address",
  ipv6: "ipv6.address",
};

/** What becomes of an old key. */
type Legacy =
  /** It has another name today. */
  | { readonly kind: "renamed"; readonly key: string }
  /** It means nothing today. */
  | { readonly kind: "gone"; readonly why: string }
  /** The driver of the root filesystem, which stands in front of its path today. */
  | { readonly kind: "backend" }
  /** It belongs to a device, and no `lxc.network.type` has begun one. */
  | { readonly kind: "orphan" };

/** Finds old keys. One for each configuration: of network devices it counts how many there are. */
export class LegacyNames {
  /** Index of the device that the last `lxc.network.type` began. */
  #device = -1;

  /** What an old key is today; undefined for one that is not old. */
  find(key: string): Legacy | undefined {
    if (key === "lxc.rootfs.backend") return { kind: "backend" };
    if (Object.hasOwn(GONE, key)) return { kind: "gone", why: GONE[key]! };
    if (Object.hasOwn(RENAMED, key)) return { kind: "renamed", key: RENAMED[key]! };
    if (key.startsWith("lxc.limit.")) {
      return { kind: "renamed", key: key.replace("lxc.", "lxc.pr") };
    }
    if (key === "lxc.network") {
      this.#device = -1;
      return { kind: "renamed", key: "lxc.net" };
    }
    return key.startsWith("lxc.network.") ? this.#network(key.slice(12)) : undefined;
  }

  #network(rest: string): Legacy {
    const [, index, named] = /^(?:(\d+)(?:\.|$))?(.*)$/.exec(rest)!;
    if (index === undefined && named === "type") this.#device++;
    if (index === undefined && this.#device < 0) return { kind: "orphan" };
    const name = Object.hasOwn(NET_RENAMED, named!) ? NET_RENAMED[named!] : named;
    const dot = name === "" ? "" : ".";
    return { kind: "renamed", key: `lxc.net.${index ?? this.#device}${dot}${name}` };
  }
}
