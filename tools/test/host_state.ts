/**
 * What a run of tests must leave as it was: device nodes, mounts, cgroups, network devices, and no
 * process of its own. Others are at work on a host, too: of cgroups and processes only what is left
 * over counts.
 */

/** Variable that marks the processes of a run; its value is the run's own. */
export const RUN_MARK = "RUNTS_TEST_RUN";

/** Names and what is to be known of each. */
type Listing = ReadonlyMap<string, string>;

export interface HostState {
  readonly devices: Listing;
  readonly mounts: Listing;
  readonly network: Listing;
  /** Directories; `left` is one of tests that are over, which no process is in or below. */
  readonly cgroups: Listing;
  /** Processes that tests have started, by pid and start time. */
  readonly processes: Listing;
}

/** Where devices come and go with their users. */
const OF_USERS = ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/char", "/dev/block"];
/** Mounts of sessions and of services. */
const OF_SERVICES = /^\/(run\/(user|credentials|docker|containerd)|proc\/sys\/fs\/binfmt_misc)\b/;
const CGROUPS = "/sys/fs/cgroup";
/** An id that a test gives; the number is that of its process. */
const TEST_ID = /\bt(\d+)-[0-9a-z]{6}-\d/;
/** What tests call cgroups, and clients under test theirs. */
const CGROUP_NAME = /\bt\d+-|runts|libpod|docker|conmon|buildah/;
/** The root filesystem of a container whose bundle a test has removed. */
const REMOVED_ROOT = /\/runts-\S*\/\/deleted$/;

/** Looks at the host. */
export function hostState(mark: string): HostState {
  const cgroups = new Map<string, string>();
  lookAtCgroup(CGROUPS, cgroups);
  return {
    devices: new Map(devicesBelow("/dev")),
    mounts: mounts(),
    network: new Map([...names("/sys/class/net"), ...names("/run/netns")].map((one) => [one, ""])),
    cgroups,
    processes: new Map(leftProcesses(mark)),
  };
}

/** What differs, a line each. */
export function changes(before: HostState, after: HostState): string[] {
  return [
    ...differences("device", before.devices, after.devices),
    ...differences("mount", before.mounts, after.mounts),
    ...differences("network device", before.network, after.network),
    ...[...after.cgroups].filter(([path, use]) => use === "left" && !before.cgroups.has(path))
      .map(([path]) => `cgroup "${path}" is left`),
    ...[...after.processes].filter(([process]) => !before.processes.has(process))
      .map(([process, command]) => `process ${process.split(" ")[0]} is left: ${command}`),
  ];
}

function differences(kind: string, before: Listing, after: Listing): string[] {
  const found: string[] = [];
  for (const [name, was] of before) {
    const is = after.get(name);
    if (is === undefined) found.push(`${kind} "${name}" is gone`);
    else if (is !== was) found.push(`${kind} "${name}" was ${was} and is ${is}`);
  }
  for (const name of after.keys()) {
    if (!before.has(name)) found.push(`${kind} "${name}" is new`);
  }
  return found;
}

function* devicesBelow(folder: string): Generator<[string, string]> {
  for (const name of names(folder)) {
    const path = `${folder}/${name}`;
    const info = lookUp(path);
    if (info === undefined || OF_USERS.includes(path)) continue;
    const type = info.isDirectory
      ? "directory"
      : info.isSymlink
      ? "symlink"
      : info.isCharDevice
      ? "character device"
      : info.isBlockDevice
      ? "block device"
      : "file";
    const mode = ((info.mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
    yield [path, `a ${type} ${info.rdev}, mode ${mode}, owner ${info.uid}:${info.gid}`];
    if (info.isDirectory) yield* devicesBelow(path);
  }
}

function mounts(): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of (read("/proc/self/mountinfo") ?? "").trim().split("\n")) {
    const [, , , root, point = "", options] = line.split(" ");
    if (OF_SERVICES.test(point)) continue;
    const type = line.slice(line.indexOf(" - ") + 3).split(" ")[0];
    const what = `${type} ${root} ${options}`;
    // One over the other.
    found.set(point, found.has(point) ? `${found.get(point)}, ${what}` : what);
  }
  return found;
}

/** Gives whether a process is in it or below. */
function lookAtCgroup(path: string, found: Map<string, string>): boolean {
  let used = (read(`${path}/cgroup.procs`) ?? "") !== "";
  for (const name of names(path)) {
    const info = lookUp(`${path}/${name}`);
    if (info?.isDirectory && lookAtCgroup(`${path}/${name}`, found)) used = true;
  }
  found.set(path, !used && CGROUP_NAME.test(path) && !isOfRunning(path) ? "left" : "");
  return used;
}

function* leftProcesses(mark: string): Generator<[string, string]> {
  for (const pid of names("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${pid}/stat`);
    if (stat === undefined || Number(pid) === Deno.pid) continue;
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X" || !isOurs(pid, mark)) continue;
    const command = (read(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ").trim();
    yield [`${pid} ${fields[18]}`, command];
  }
}

/** By its environment, its cgroup, or the root filesystem that it has. */
function isOurs(pid: string, mark: string): boolean {
  if ((read(`/proc/${pid}/environ`) ?? "").split("\0").includes(`${RUN_MARK}=${mark}`)) return true;
  const cgroup = read(`/proc/${pid}/cgroup`) ?? "";
  if (TEST_ID.test(cgroup) && !isOfRunning(cgroup)) return true;
  const lines = (read(`/proc/${pid}/mountinfo`) ?? "").split("\n").map((line) => line.split(" "));
  return lines.some(([, , , root = "", point]) => point === "/" && REMOVED_ROOT.test(root));
}

/** Whether the test that has given the id still runs: it may be one of another run. */
function isOfRunning(text: string): boolean {
  const pid = TEST_ID.exec(text)?.[1];
  return pid !== undefined && lookUp(`/proc/${pid}`) !== undefined;
}

function names(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  } catch {
    return []; // it is not there, or has just gone
  }
}

function lookUp(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

function read(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return undefined;
  }
}
