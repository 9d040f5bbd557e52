/** Every key of a container's configuration (lxc.container.conf(5)), with what its value may be. */

import type { TimeOffset } from "../../spec/types/config.ts";
import * as more from "./values_more.ts";
import { mountEntry, mountOptions } from "./values_mount.ts";
import * as net from "./values_net.ts";
import * as values from "./values.ts";
import type { Parse } from "./values.ts";

/** A key whose last line counts. */
export interface OneKey<T> {
  readonly kind: "one";
  readonly parse: Parse<T>;
  /** The value as it is printed. */
  readonly show: (value: T, text: string) => string;
  /** What is printed where nothing is set. */
  readonly unset: string;
  /** What an empty value means, where it is not that nothing is set. */
  readonly cleared?: string;
}

/** A key whose lines add up; an empty value forgets those in front of it. */
export interface ManyKey<T> {
  readonly kind: "many";
  /** What one line adds. */
  readonly parse: Parse<readonly T[]>;
  /** All values as they are printed. */
  readonly show: (values: readonly T[], texts: readonly string[]) => string;
}

function one<T>(
  parse: Parse<T>,
  unset?: string,
  show?: OneKey<T>["show"],
  cleared?: string,
): OneKey<T> {
  return {
    kind: "one",
    parse,
    show: show ?? ((_, text) => text),
    unset: unset ?? "",
    ...(cleared !== undefined && { cleared }),
  };
}

function many<T>(
  parse: Parse<readonly T[]>,
  show: ManyKey<T>["show"] = (_, texts) => inLines(texts),
): ManyKey<T> {
  return { kind: "many", parse, show };
}

/** A key of which each line is one value. */
function each<T>(parse: Parse<T>, show?: ManyKey<T>["show"]): ManyKey<T> {
  return many((value, report) => [parse(value, report)], show);
}

function inLines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

const bit = (value: boolean) => value ? "1" : "0";
const flag = (unset?: "1", cleared?: string) => one(values.flag, unset ?? "0", bit, cleared);
const number = (unset = "0", parse = values.whole()) => one(parse, unset, String);
const text = () => one(values.text);
const path = (...words: string[]) => one(values.path(...words));
const namespaces = () => many(more.namespaces, (types) => inLines(types.map(more.namespaceName)));

function offset(gap: string): OneKey<TimeOffset> {
  const show = ({ secs = 0, nanosecs = 0 }: TimeOffset) =>
    nanosecs === 0 && BigInt(secs) !== 0n
      ? `${secs}${gap}s\n`
      : `${BigInt(secs) * 1_000_000_000n + BigInt(nanosecs)}${gap}ns\n`;
  return one(more.timeOffset, `0${gap}ns\n`, show);
}

function capabilityLines(names: readonly string[]): string {
  const kept = names.slice(names.lastIndexOf("none") + 1);
  return inLines(kept.map((name) => name.toLowerCase().replace(/^cap_/, "")));
}

/** Stages of a container's life at which hooks run, in their order. */
export const HOOK_STAGES = [
  "pre-start",
  "pre-mount",
  "mount",
  "autodev",
  "start-host",
  "start",
  "stop",
  "post-stop",
  "clone",
  "destroy",
] as const;
export type HookStage = (typeof HOOK_STAGES)[number];

function autoText(mount: more.AutoMount): string {
  if (mount.what === "shmounts") return `shmounts:${mount.host}:${mount.inside}`;
  const force = "force" in mount && mount.force ? ":force" : "";
  const name = "unified" in mount && mount.unified ? "cgroup2" : mount.what;
  return `${name}${mount.mode === undefined ? "" : `:${mount.mode}`}${force}`;
}

/** Of those that exclude each other the last one counts. */
export function lastAutoMounts(mounts: readonly more.AutoMount[]): more.AutoMount[] {
  const room = ({ what }: more.AutoMount) => what.replace(/-full$/, "");
  const last = new Map(mounts.map((mount) => [room(mount), mount]));
  return ["proc", "sys", "cgroup", "shmounts"].flatMap((what) => last.get(what) ?? []);
}

const hook = () => each(values.text);

/** The keys, but for those that have a name in them. */
export const KEYS = {
  "lxc.apparmor.allow_incomplete": flag(),
  "lxc.apparmor.allow_nesting": flag(),
  "lxc.apparmor.profile": text(),
  "lxc.apparmor.raw": each(values.text),
  "lxc.arch": one(more.architecture, "", (bits) => bits === 64 ? "x86_64" : "i686"),
  // An empty value switches it off.
  "lxc.autodev": flag("1", "0"),
  "lxc.autodev.tmpfs.size": number("500000"),
  "lxc.cap.drop": many(values.capabilities, capabilityLines),
  "lxc.cap.keep": many(values.keptCapabilities, capabilityLines),
  "lxc.cgroup.dir": one(values.below),
  "lxc.cgroup.dir.container": one(values.below),
  "lxc.cgroup.dir.container.inner": one(values.directoryName),
  "lxc.cgroup.dir.monitor": one(values.below),
  "lxc.cgroup.dir.monitor.pivot": one(values.below),
  "lxc.cgroup.relative": flag(),
  "lxc.console.buffer.size": number("0", values.bufferSize),
  "lxc.console.logfile": path(),
  "lxc.console.path": path("none"),
  "lxc.console.rotate": flag(),
  "lxc.console.size": number("0", values.bufferSize),
  "lxc.environment": each(values.variable),
  "lxc.environment.hooks": each(values.variable),
  "lxc.environment.runtime": each(values.variable),
  "lxc.ephemeral": flag(),
  "lxc.execute.cmd": text(),
  "lxc.group": many(values.wordsOf, (names) => inLines(names)),
  "lxc.hook.autodev": hook(),
  "lxc.hook.clone": hook(),
  "lxc.hook.destroy": hook(),
  "lxc.hook.mount": hook(),
  "lxc.hook.post-stop": hook(),
  "lxc.hook.pre-mount": hook(),
  "lxc.hook.pre-start": hook(),
  "lxc.hook.start": hook(),
  "lxc.hook.start-host": hook(),
  "lxc.hook.stop": hook(),
  "lxc.hook.version": number("0", values.whole(1)),
  "lxc.idmap": each(more.idRange, (_, texts) => texts.join("\n")),
  "lxc.init.cmd": text(),
  "lxc.init.cwd": path(),
  "lxc.init.gid": number(),
  "lxc.init.groups": many(
    (value, report) =>
      value.split(",").map((id) => values.whole()(id, (fault, _, hint) => report(fault, id, hint))),
    (ids) => ids.join(","),
  ),
  "lxc.init.uid": number(),
  "lxc.keyring.session": flag("1"),
  "lxc.log.file": path("none"),
  "lxc.log.level": one(values.logLevel, "NOTSET", String),
  "lxc.log.syslog": one(
    values.word(
      ...["daemon", "local0", "local1", "local2", "local3"] as const,
      ...["local4", "local5", "local6", "local7"] as const,
    ),
  ),
  // The container's processes are not told by an empty value.
  "lxc.monitor.signal.pdeath": one(values.signal, "9", String, "0"),
  "lxc.monitor.unshare": flag(),
  "lxc.mount.auto": many(
    more.autoMounts,
    (mounts) => lastAutoMounts(mounts).map(autoText).join(" "),
  ),
  "lxc.mount.entry": each(mountEntry),
  "lxc.mount.fstab": path(),
  "lxc.namespace.clone": namespaces(),
  "lxc.namespace.keep": namespaces(),
  "lxc.no_new_privs": flag(),
  "lxc.pty.max": number(),
  "lxc.rootfs.managed": flag("1"),
  "lxc.rootfs.mount": path(),
  "lxc.rootfs.options": one(mountOptions("rootfs")),
  "lxc.rootfs.path": one(more.rootfsSource, "", ({ parts }) => parts.join(":")),
  "lxc.sched.core": flag(),
  "lxc.seccomp.allow_nesting": flag(),
  "lxc.seccomp.notify.cookie": text(),
  "lxc.seccomp.notify.proxy": one(
    (value, report) => {
      if (!/^unix:[/@]./.test(value)) {
        report("is not a socket", value, 'as "unix:/path" or "unix:@name"');
      }
      return value.slice(5);
    },
    "",
    String,
  ),
  "lxc.seccomp.profile": path(),
  "lxc.selinux.context": text(),
  "lxc.selinux.context.keyring": text(),
  "lxc.signal.halt": one(values.signal, "0", String),
  "lxc.signal.reboot": one(values.signal, "0", String),
  "lxc.signal.stop": one(values.signal, "0", String),
  "lxc.start.auto": flag(),
  "lxc.start.delay": number(),
  "lxc.start.order": number("0", values.whole(2 ** 31 - 1, -(2 ** 31))),
  "lxc.time.offset.boot": offset(" "),
  "lxc.time.offset.monotonic": offset(""),
  "lxc.tty.dir": one(values.below),
  "lxc.tty.max": number("0", values.whole(1024)),
  "lxc.uts.name": one(values.textUpTo(64)),
} as const;

const address = (parse: Parse<net.Address>) =>
  each(parse, (addresses) => addresses.map((it) => `${it.address}/${it.prefix}`).join("\n"));

/** The keys of one network device, behind `lxc.net.N.`. */
export const NET_KEYS = {
  flags: one(values.word("up")),
  hwaddr: one(net.hardwareAddress),
  "ipv4.address": address(net.ipv4Address),
  "ipv4.gateway": one(net.ipv4Gateway),
  "ipv6.address": address(net.ipv6Address),
  "ipv6.gateway": one(net.ipv6Gateway),
  "ipvlan.isolation": one(values.word("bridge", "private", "vepa")),
  "ipvlan.mode": one(values.word("l3", "l3s", "l2")),
  l2proxy: flag(),
  link: one(net.linkName),
  "macvlan.mode": one(values.word("private", "vepa", "bridge", "passthru")),
  mtu: one(values.whole(2 ** 16 - 1, 68)),
  name: one(net.interfaceName),
  "script.down": one(values.text),
  "script.up": one(values.text),
  type: one(values.word("empty", "none", "veth", "macvlan", "ipvlan", "vlan", "phys")),
  "veth.ipv4.route": address(net.ipv4Route),
  "veth.ipv6.route": address(net.ipv6Route),
  "veth.mode": one(values.word("bridge", "router")),
  "veth.n_rxqueues": one(values.whole(4096, 1)),
  "veth.n_txqueues": one(values.whole(4096, 1)),
  "veth.pair": one(net.interfaceName),
  "veth.vlan.id": one(net.bridgeVlan, "", (id) => String(id ?? -1)),
  "veth.vlan.tagged.id": each(net.vlanId, (_, texts) => texts.join("\n")),
  "vlan.id": one(net.vlanId),
} as const;

// deno-lint-ignore no-explicit-any -- what a key's value is does not matter to its name
type AnyOne = OneKey<any>;
// deno-lint-ignore no-explicit-any -- the same
type AnyMany = ManyKey<any>;

/** Names of a table whose last line counts. */
export type OneName<T> = { [K in keyof T]: T[K] extends AnyOne ? K : never }[keyof T];
/** Names of a table whose lines add up. */
export type ManyName<T> = { [K in keyof T]: T[K] extends AnyMany ? K : never }[keyof T];
/** What a key's value is; of one whose lines add up, one of them. */
export type ValueOf<E> = E extends OneKey<infer V> ? V : E extends ManyKey<infer V> ? V : never;
