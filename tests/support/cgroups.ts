/** What tests of cgroups need to know of the host, and of a container's place in it. */

import { type CgroupHost, detectHost, hierarchyOf } from "../../lib/cgroup/hierarchies.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { assertEquals } from "@std/assert";
import { Bundle, type Config, idle } from "./bundle.ts";
import { type TestRuntime, withRuntime } from "./host.ts";
import { until } from "./runtime.ts";
import { exists } from "./look.ts";

/**
 * What a test may need: controllers on v1 hierarchies, cgroup v2 alone, systemd as init or not,
 * a user other than root whose own systemd runs, or being one, the I/O scheduler that knows
 * weights, limits of realtime (CONFIG_RT_GROUP_SCHED).
 */
export type Need = "v1" | "v2" | "systemd" | "no systemd" | "user" | "session" | "bfq" | "realtime";

/** The hierarchies of this host. */
export function cgroupHost(): CgroupHost {
  return detectHost(new Runtime());
}

/** What this host has. */
export function hostHas(need: Need): boolean {
  switch (need) {
    case "v1":
      return cgroupHost().mode !== "v2";
    case "v2":
      return cgroupHost().mode === "v2";
    case "systemd":
      return exists("/run/systemd/system");
    case "no systemd":
      return !exists("/run/systemd/system");
    case "user":
      return lingeringUser() !== undefined;
    case "session":
      return Deno.uid() !== 0 && lingeringUser() === Deno.uid();
    case "bfq":
      return Array.from(Deno.readDirSync("/sys/block"), ({ name }) => name)
        .some((disk) => schedulersOf(disk).includes("bfq"));
    case "realtime":
      return exists(`${hierarchyOf(cgroupHost(), "cpu")?.mountPoint}/cpu.rt_period_us`);
  }
}

/**
 * A test for hosts that have all of `needs`. The runs on this host and in the virtual machine
 * together leave none out.
 */
export function cgroupTest(
  name: string,
  needs: readonly Need[],
  body: (host: CgroupHost) => Promise<void>,
): void {
  const ignore = !needs.every(hostHas);
  const title = needs.length === 0 ? name : `${name} [${needs.join(", ")}]`;
  Deno.test({ name: title, ignore, fn: () => body(cgroupHost()) });
}

/** What there is for a disk, as `none [mq-deadline] bfq`. */
function schedulersOf(disk: string): string {
  try {
    return Deno.readTextFileSync(`/sys/block/${disk}/queue/scheduler`);
  } catch {
    return "";
  }
}

/** A user id, not root's, with a bus of its own. */
export function lingeringUser(): number | undefined {
  if (!exists("/run/user")) return undefined;
  const users = Array.from(Deno.readDirSync("/run/user"), ({ name }) => Number(name));
  return users.find((user) => user > 0 && exists(`/run/user/${user}/bus`));
}

/** The cgroups of a process by controller, absolute. */
export function cgroupsOf(pid: number): Record<string, string> {
  const paths: Record<string, string> = {};
  for (const line of Deno.readTextFileSync(`/proc/${pid}/cgroup`).trim().split("\n")) {
    const [, names = "", ...path] = line.split(":");
    for (const name of names.split(",")) {
      const hierarchy = cgroupHost().hierarchies.find(({ controller }) => controller === name);
      if (hierarchy) paths[name] = hierarchy.mountPoint + path.join(":");
    }
  }
  return paths;
}

/** Removes cgroups that a peer has given up on: runc 1.1.5 does after 0.3 s, with exit code 0. */
export async function removeLeft(paths: readonly string[]): Promise<void> {
  for (const path of new Set(paths)) {
    await until(`"${path}" is gone`, () => {
      try {
        Deno.removeSync(path);
      } catch {
        // it is gone, or somebody still ends in it
      }
      return !exists(path);
    });
  }
}

/** A container's own cgroups, which have its id in their names. */
export function ownCgroups(pid: number, id: string): string[] {
  return Object.values(cgroupsOf(pid)).filter((path) => path.includes(id));
}

/**
 * Runs a test with a container that sleeps, in a scope of `slice` if there is one. Once it has been
 * deleted nothing may be left of its cgroups.
 */
export async function withContainer(
  edit: (config: Config, id: string) => void,
  body: (runtime: TestRuntime, id: string, pid: number) => Promise<void>,
  { slice }: { slice?: string } = {},
): Promise<void> {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    using bundle = new Bundle((config) => {
      idle(config);
      if (slice !== undefined) config.linux.cgroupsPath = `${slice}:runts:${id}`;
      edit(config, id);
    });
    const options = slice === undefined ? [] : ["--systemd-cgroup"];
    await runtime.ok([...options, "create", "--bundle", bundle.path, id]);
    await runtime.ok(["start", id]);
    const { pid } = await runtime.state(id);
    const own = ownCgroups(pid, id);
    await body(runtime, id, pid);
    await runtime.ok(["delete", "--force", id]);
    assertEquals([...own, ...everyPath(`/${id}`)].filter(exists), []);
  });
}

/** A path in the hierarchy that freezes. */
export function freezerPath(path: string): string {
  const name = cgroupHost().mode === "v2" ? "" : "freezer";
  return `${hierarchyOf(cgroupHost(), name)?.mountPoint}${path}`;
}

/** A path in every hierarchy, each directory once. */
export function everyPath(path: string): string[] {
  return [...new Set(cgroupHost().hierarchies.map(({ mountPoint }) => mountPoint + path))];
}

/** The text of a cgroup file of a process; on v2 the controller is not looked at. */
export function held(pid: number, controller: string, file: string): string {
  const paths = cgroupsOf(pid);
  const directory = cgroupHost().mode === "v2" ? paths[""] : paths[controller];
  return Deno.readTextFileSync(`${directory}/${file}`).trimEnd();
}

/** Flags of update; they follow each other on one container. */
export const UPDATES = [
  ["--memory", "67108864", "--memory-swap", "134217728", "--memory-reservation", "33554432"],
  ["--memory", "268435456", "--memory-swap", "-1"],
  ["--memory", "33554432"],
  ["--memory", "-1"],
  ["--cpu-share", "100", "--cpu-period", "20000", "--cpu-quota", "5000"],
  ["--cpu-quota", "-1"],
  ["--cpuset-cpus", "0"],
  ["--pids-limit", "10"],
  ["--pids-limit", "-1"],
] as const;

/** Numbers of the disk that the root file system or a device of the host is on, as `8:0`. */
export function anyDisk(): string {
  for (const { name } of Deno.readDirSync("/sys/block")) {
    if (/^(vd|sd|nvme|xvd)/.test(name)) {
      return Deno.readTextFileSync(`/sys/block/${name}/dev`).trim();
    }
  }
  throw new Error("the host has no disk");
}
