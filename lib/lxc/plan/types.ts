/**
 * What a configuration comes to: the part that the runtime specification can say, as a `Spec`, and
 * all that lies beyond it. Plain data; a container can be started from it alone.
 */

import type { NamespaceType, Spec } from "../../spec/types/config.ts";
import type { HookStage } from "../config/keys.ts";
import type { Finding, Place } from "../config/place.ts";
import type { LogLevel } from "../config/values.ts";
import type { Address } from "../config/values_net.ts";
import type { RootfsDriver } from "../config/values_more.ts";

/** The lines that parts of the plan come from, by JSON path: `mounts[3]`, `beyond.network[0]`. */
export type Origins = Readonly<Record<string, Place>>;

/** A container as it is to be started. */
export interface SystemPlan {
  readonly name: string;
  /** Directory of the container: its configuration, root filesystem and log. */
  readonly directory: string;
  /** The file of the configuration; absent if there is none. */
  readonly configFile?: string;
  readonly spec: Spec;
  /** The program is that of `execute`: a child of an init that reaps orphans. */
  readonly reaps?: true;
  readonly beyond: Beyond;
  readonly origins: Origins;
  /** What is asked for and will not be had, and what should be written otherwise. */
  readonly warnings: readonly Finding[];
}

/** What the runtime specification has no words for. */
export interface Beyond {
  readonly rootfs: Rootfs;
  readonly dev: Dev;
  readonly console: Console;
  readonly ttys: Ttys;
  /** By the index of the mount in the specification; one that is not here makes its mount point. */
  readonly mounts: Readonly<Record<number, MountRule>>;
  /** Paths below read-only ones that stay writable: /proc/sys/net. */
  readonly writable: readonly string[];
  readonly namespaces: Namespaces;
  readonly network: readonly NetDevicePlan[];
  readonly hooks: Hooks;
  readonly cgroup: Cgroup;
  readonly signals: Signals;
  /** Files below /proc/PID of init that are written from outside. */
  readonly proc: readonly { readonly file: string; readonly value: string }[];
  readonly security: Security;
  readonly start: Start;
  readonly log: Log;
}

/** Where the root filesystem comes from. */
export interface Rootfs {
  /** `host`: there is none of its own. */
  readonly driver: RootfsDriver | "host";
  /** Paths and the like, as of {@linkcode Beyond.rootfs}'s driver; overlay: lower ones, then the upper. */
  readonly parts: readonly string[];
  /** Overlay: where the kernel works, beside the upper directory. */
  readonly work?: string;
  /** Where it is mounted before it becomes the root, for hooks. */
  readonly mount: string;
  /** Options of that mount. */
  readonly options: readonly string[];
  /** What the ids of the mount are mapped by: `container`, or the path of a user namespace. */
  readonly idmap?: string;
  /** Storage may be changed or removed. */
  readonly managed: boolean;
}

/** /dev. */
interface Dev {
  /** A tmpfs with the usual nodes and links; else nothing is made there. */
  readonly populate: boolean;
  /** A boot id of the container's own is bound over that of the host. */
  readonly bootId: boolean;
}

/** The console: a pseudo terminal, unless it is somewhere else. */
export interface Console {
  /** `pty`, `none`, or the path of a device or file that it is connected with. */
  readonly peer: string;
  readonly logFile?: string;
  /** Bytes that the log file may have; absent: any number. */
  readonly logSize?: number;
  /** The log file is renamed, with `.1`, when it is full, rather than begun anew. */
  readonly rotate: boolean;
  /** Bytes of the latest output that are kept in memory. */
  readonly buffer?: number;
}

/** Terminals at /dev/tty1 and so on. */
export interface Ttys {
  readonly count: number;
  /** The directory below /dev where the terminals are; /dev/ttyN are links. */
  readonly directory?: string;
}

/** What is particular to one mount. */
export interface MountRule {
  /** What is made of a target that is not there; absent: nothing, it is an error. */
  readonly create?: "dir" | "file";
  /** A source or target that is not there is no error. */
  readonly optional?: true;
  /** The source is below the container's root. */
  readonly relative?: true;
  /** What the ids of the mount are mapped by: `container`, or the path of a user namespace. */
  readonly idmap?: string;
}

/** A namespace of another container, which is known when that one runs. */
export interface SharedNamespace {
  readonly type: NamespaceType;
  /** Its name, or the absolute path of its directory. */
  readonly container: string;
}

export interface Namespaces {
  readonly shared: readonly SharedNamespace[];
}

/** One network device. */
export interface NetDevicePlan {
  /** That of `lxc.net.INDEX`. */
  readonly index: number;
  readonly type: "empty" | "veth" | "macvlan" | "ipvlan" | "vlan" | "phys";
  readonly up: boolean;
  /** Device of the host that it is connected with, or that is moved; `+` at its end: all that begin so. */
  readonly link?: string;
  /** Name inside; absent: eth0 and so on, in their order. */
  readonly name?: string;
  /** `x` stands for a random digit. */
  readonly hardwareAddress?: string;
  readonly mtu?: number;
  readonly l2proxy: boolean;
  readonly ipv4: readonly Address[];
  readonly ipv6: readonly Address[];
  /** An address, `auto` (the link's first) or `dev` (no address). */
  readonly ipv4Gateway?: string;
  readonly ipv6Gateway?: string;
  readonly scriptUp?: string;
  readonly scriptDown?: string;
  readonly veth?: Veth;
  readonly vlanId?: number;
  readonly macvlanMode?: "private" | "vepa" | "bridge" | "passthru";
  readonly ipvlan?: { readonly mode: "l3" | "l3s" | "l2"; readonly isolation: string };
}

/** What is particular to a pair of devices. */
export interface Veth {
  readonly mode: "bridge" | "router";
  /** Name of the host's end; absent: a random one. */
  readonly pair?: string;
  readonly rxQueues?: number;
  readonly txQueues?: number;
  readonly ipv4Routes: readonly Address[];
  readonly ipv6Routes: readonly Address[];
  /** Of the bridge's port: a number; null takes it out of the bridge's own. Absent: as the bridge has it. */
  readonly vlan?: number | null;
  readonly taggedVlans: readonly number[];
}

export interface Hooks {
  /** 0: what they are told stands in their arguments; 1: in their environment. */
  readonly version: 0 | 1;
  /** Command lines of a shell, in their order. */
  readonly stages: Readonly<Partial<Record<HookStage, readonly string[]>>>;
  /** `NAME=VALUE` of the configuration, for the hooks alone. */
  readonly environment: readonly string[];
}

export interface Cgroup {
  /** Where cgroups are made: below the root of the hierarchy, or below the caller's own cgroup. */
  readonly relative: boolean;
  /** Paths from there. A suffix `-1` and so on is added to one that is taken. */
  readonly container: string;
  readonly monitor: string;
  /** Where the monitor is while it removes the others. */
  readonly pivot: string;
  /** Below the container's: limits are set above it, and the cgroup namespace begins there. */
  readonly inner?: string;
  /** Whether the paths are the configuration's, which get no suffix. */
  readonly exact: boolean;
  /** It is a scope of the user's systemd instead. */
  readonly scope?: true;
  /** Files of version 1 that the specification has no words for; after those of the specification. */
  readonly files: readonly CgroupFile[];
  /** The device rules are all there are: nothing is allowed beside them. */
  readonly exactDevices: boolean;
}

export interface CgroupFile {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/** Numbers of signals. */
export interface Signals {
  /** Absent: SIGRTMIN+3 for an init that blocks it, as systemd does, else SIGPWR. */
  readonly halt?: number;
  readonly reboot: number;
  readonly stop: number;
  /** Sent to init when its monitor ends; 0: none. */
  readonly parentDeath: number;
}

export interface Security {
  readonly apparmor: {
    /** `default`: the host's profile for containers, if it has one. */
    readonly profile: "default" | "generated" | "unconfined" | "unchanged" | "named";
    readonly nesting: boolean;
    readonly allowIncomplete: boolean;
    /** Lines that are added to a generated profile. */
    readonly raw: readonly string[];
  };
  /** SELinux context of the session keyring. */
  readonly keyringContext?: string;
  /** init gets a session keyring of its own. */
  readonly keyring: boolean;
  /** A cookie of its own for core scheduling (prctl(2), PR_SCHED_CORE). */
  readonly coreScheduling: boolean;
  readonly seccomp: {
    /** The filter is loaded although there is one already. */
    readonly nesting: boolean;
    /** Socket that decides system calls with the action `notify`; `@NAME` is abstract. */
    readonly proxy?: string;
    readonly cookie?: string;
  };
}

export interface Start {
  readonly auto: boolean;
  /** Seconds. */
  readonly delay: number;
  readonly order: number;
  readonly groups: readonly string[];
  /** The container is removed when it has stopped. */
  readonly ephemeral: boolean;
  /** The monitor has a mount namespace of its own. */
  readonly monitorUnshare: boolean;
  /** The program of `execute`, if none is given. */
  readonly executeCommand?: string;
}

export interface Log {
  /** The configuration says something of it: else nothing is logged. */
  readonly isAsked: boolean;
  readonly level: LogLevel;
  /** `none`: there is no file. Absent: NAME.log in the container's directory. */
  readonly file?: string;
  readonly syslog?: string;
}
