/** Why the kernel refused a limit, in words that name the way out. */

import { EACCES, EBUSY, EINVAL, ENODEV, ENOENT, ENOSPC, ENXIO, EPERM } from "../base/errno.ts";
import { quote } from "../base/errors.ts";
import { readFile } from "./files.ts";
import type { Setting } from "./settings.ts";

const ERANGE = 34;
const EOPNOTSUPP = 95;

/** The likely reason of a refused write; undefined when there is nothing to add to the errno. */
export function explainRefusal(
  setting: Setting,
  directory: string,
  errno: number | undefined,
): string | undefined {
  const [{ file }] = setting.forms;
  if (errno === EACCES && file.startsWith("cpuset.")) return notInParent(directory, file);
  if (errno === EPERM || errno === EACCES) return "the file is not delegated to this user";
  if (errno === EOPNOTSUPP && setting.configPath.includes("blockIO.weight")) {
    return "the disk's I/O scheduler knows no weights: choose bfq";
  }
  if (errno === EOPNOTSUPP) return "this kernel no longer limits it";
  if (file.startsWith("memory.")) return memoryReason(file, directory, errno);
  if (file.startsWith("cpuset.")) return cpusetReason(directory, file, errno);
  if (file.startsWith("cpu.")) return cpuReason(file, directory, errno);
  if (/^(io|blkio)\./.test(file)) return blockReason(setting, errno);
  if (file === "net_prio.ifpriomap" && errno === ENODEV) return "there is no such interface";
  if (file === "rdma.max" && errno === ENODEV) return "there is no such device";
  return undefined;
}

function memoryReason(file: string, directory: string, errno?: number): string | undefined {
  const used = readFile(`${directory}/memory.usage_in_bytes`);
  if (errno === EBUSY && used !== undefined) return `the container uses ${used} bytes`;
  if (errno !== EINVAL) return undefined;
  const limit = readFile(`${directory}/memory.limit_in_bytes`);
  const both = readFile(`${directory}/memory.memsw.limit_in_bytes`);
  if (file === "memory.limit_in_bytes" && both !== undefined) {
    return `it would be more than the limit of memory and swap together, ${both}: raise memory.swap`;
  }
  if (file === "memory.memsw.limit_in_bytes" && limit !== undefined) {
    return `it would be less than the limit of memory, ${limit}`;
  }
  return undefined;
}

function notInParent(directory: string, file: string): string {
  const parent = directory.slice(0, directory.lastIndexOf("/"));
  const effective = readFile(`${parent}/${file}.effective`) ?? readFile(`${parent}/${file}`);
  return `the cgroup above has ${quote(effective)}`;
}

function cpusetReason(directory: string, file: string, errno?: number): string | undefined {
  if (errno === EINVAL || errno === ERANGE) {
    const what = file === "cpuset.mems" ? "memory nodes" : "processors";
    return `it is no list of ${what} like "0-3,7", or one of them does not exist: ` +
      notInParent(directory, file);
  }
  if (errno === EBUSY) return "a cgroup below it uses others";
  if (errno === ENOSPC) return "processes of the container would be left without any";
  return undefined;
}

function cpuReason(file: string, directory: string, errno?: number): string | undefined {
  if (errno !== EINVAL) return undefined;
  if (file.startsWith("cpu.rt_")) {
    const parent = directory.slice(0, directory.lastIndexOf("/"));
    const runtime = readFile(`${parent}/cpu.rt_runtime_us`);
    return `the cgroup above has ${runtime ?? "no"} µs of realtime to share out`;
  }
  if (file === "cpu.shares" || file === "cpu.weight") {
    return readFile(`${directory}/cpu.idle`) === "1"
      ? "the container is idle (cpu.idle), so it has no share"
      : undefined;
  }
  if (file === "cpu.idle") return "it is 0 or 1";
  if (/burst/.test(file)) return "a burst must not be more than the quota";
  return "quota and period are at least 1000 µs, the period at most 1000000 µs, and no more than " +
    "the cgroup above has";
}

function blockReason(setting: Setting, errno?: number): string | undefined {
  const key = setting.line?.key;
  if (errno === ENODEV || errno === ENXIO || errno === ENOENT) {
    return key === undefined ? undefined : `there is no whole disk with number ${key}`;
  }
  if (errno === ERANGE || errno === EINVAL) return "the value is out of range";
  return undefined;
}
