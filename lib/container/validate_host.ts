/** `validate --host`: what a sound configuration asks of this host that it does not have. */

import { type Refusal, refusedOption } from "../../ffi/mounts.ts";
import { EINVAL, ENODEV, EPERM, errnoText } from "../base/errno.ts";
import { quote } from "../base/errors.ts";
import { readFile, statFile } from "../base/files.ts";
import { isWithin, normalize, pathFrom } from "../base/paths.ts";
import { load } from "../runtime/load.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Finding } from "../spec/check/findings.ts";
import { CAPABILITIES, capabilityNumber } from "../spec/values/capabilities.ts";
import { parseMountOptions } from "../spec/values/mount_options.ts";
import type { Hook, Mount, Process, Spec } from "../spec/types/config.ts";

/** Filesystems of nothing but their options: others want devices and paths, which they look for at once. */
const ASKED = ["devpts", "hugetlbfs", "mqueue", "proc", "sysfs", "tmpfs"];

/** What the host says. */
interface HostWarnings {
  readonly findings: readonly Finding[];
  /** Paths of options that its kernel takes. */
  readonly taken: readonly string[];
}

/** Of a configuration whose bundle is in that directory. */
export async function hostWarnings(
  runtime: Runtime,
  spec: Spec,
  bundle: string,
): Promise<HostWarnings> {
  await load(runtime);
  const taken: string[] = [];
  const { root, mounts = [], process, hooks = {}, linux = {} } = spec;
  const rootfs = pathFrom(bundle, root.path);
  const findings = [
    ...missing("root.path", rootfs, root.path),
    ...mounts.flatMap((mount, index) => ofSource(mount, `mounts[${index}]`, bundle, rootfs)),
    ...mounts.flatMap((mount, index) => ofOptions(mount, `mounts[${index}]`, taken)),
    ...process === undefined ? [] : hostWarningsOfProcess(process, "process."),
    ...Object.entries(hooks).flatMap(([kind, list]) => ofHooks(kind, list ?? [])),
    ...(linux.namespaces ?? []).flatMap(({ path }, index) =>
      path ? missing(`linux.namespaces[${index}].path`, path) : []
    ),
  ];
  return { findings, taken };
}

/** Of a process; `prefix`: of its paths. */
export function hostWarningsOfProcess({ capabilities = {} }: Process, prefix = ""): Finding[] {
  const last = Number(readFile("/proc/sys/kernel/cap_last_cap") ?? CAPABILITIES.length);
  return Object.entries(capabilities).flatMap(([set, names]: [string, unknown]) =>
    (Array.isArray(names) ? names : []).flatMap((name: string, index): Finding[] => {
      if ((capabilityNumber(name) ?? 0) <= last) return [];
      const path = `${prefix}capabilities.${set}[${index}]`;
      return [finding(path, name, `${quote(name)} is newer than this kernel`)];
    })
  );
}

function ofSource(mount: Mount, path: string, bundle: string, rootfs: string): Finding[] {
  const { type = "", source = "", options = [] } = mount;
  const { bind, remount } = parseMountOptions(options);
  if (remount || bind === "none" && type !== "bind" && type !== "rbind") return [];
  const place = pathFrom(bundle, source);
  // What is in the root filesystem may come with another mount.
  if (isWithin(normalize(place) || "/", normalize(rootfs) || "/")) return [];
  return missing(`${path}.source`, place, source);
}

/** Asks the kernel; what it takes goes to `taken`. */
function ofOptions({ type = "", options = [] }: Mount, path: string, taken: string[]): Finding[] {
  const { bind, remount } = parseMountOptions(options);
  if (remount || bind !== "none" || !ASKED.includes(type)) return [];
  return options.flatMap((option, index) => {
    const place = `${path}.options[${index}]`;
    const answers = parseMountOptions([option]).data.map((one) =>
      [one, refusedOption(type, one)] as const
    );
    if (answers.every(([, refusal]) => refusal === undefined)) taken.push(place);
    return answers.flatMap(([one, refusal]) =>
      refusal === undefined || refusal.errno === EPERM
        ? []
        : [finding(place, option, `${quote(one)} ${why(type, refusal)}`)]
    );
  });
}

function why(type: string, { errno, said }: Refusal): string {
  if (errno === ENODEV) return `is for ${type}, which this kernel does not have`;
  const words = said === "" ? (errno === EINVAL ? "" : errnoText(errno)) : quote(said);
  return `is refused by this kernel${words === "" ? "" : `: ${words}`}`;
}

function ofHooks(kind: string, list: readonly Hook[]): Finding[] {
  // These are run in the container, by its paths.
  const isInside = kind === "startContainer";
  return isInside
    ? []
    : list.flatMap(({ path }, index) => missing(`hooks.${kind}[${index}].path`, path));
}

function missing(path: string, place: string, value = place): Finding[] {
  if (statFile(place) !== undefined) return [];
  const where = place === value ? "" : ` (${quote(place)})`;
  return [finding(path, value, `${quote(value)} is not there${where}`)];
}

function finding(path: string, value: string, message: string): Finding {
  return { path, value, rule: "host", message };
}
