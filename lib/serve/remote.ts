/** Whether a file may take long to be opened or read, because it is not on this machine. */

import { readFile } from "../base/files.ts";
import { O_RDONLY } from "../base/linux.ts";
import type { OwnHelper } from "../runtime/runtime.ts";

/** File systems that answer by themselves; of any other one nothing is known (proc_pid_mountinfo(5)). */
const LOCAL = new Set([
  ...["bcachefs", "binfmt_misc", "bpf", "btrfs", "cgroup", "cgroup2", "configfs", "debugfs"],
  ...["devpts", "devtmpfs", "efivarfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs"],
  ...["fusectl", "hugetlbfs", "iso9660", "mqueue", "nsfs", "ntfs3", "overlay"],
  ...["proc", "pstore", "ramfs", "resctrl", "rootfs", "rpc_pipefs", "securityfs"],
  ...["selinuxfs", "squashfs", "sysfs", "tmpfs", "tracefs", "udf", "vfat", "xfs", "zfs"],
]);

/** The kernel tells of a change so, once (poll(2)). */
const POLLPRI = 2;

/** What is mounted here: looked at again when it has changed. */
export class Mounts {
  readonly #helper: OwnHelper;
  readonly #proc: string;
  readonly #fd: number;
  #isLocal: boolean | undefined;
  #version = 0;

  /** @param proc directory of /proc of the process whose mounts they are */
  constructor(helper: OwnHelper, proc: string) {
    this.#helper = helper;
    this.#proc = proc;
    this.#fd = helper.open(`${proc}/mountinfo`, O_RDONLY);
    helper.readyFds([this.#fd], POLLPRI);
  }

  /** Grows whenever something is mounted or taken away. */
  get version(): number {
    if (this.#helper.readyFds([this.#fd], POLLPRI).length > 0) {
      this.#version++;
      this.#isLocal = undefined;
    }
    return this.#version;
  }

  /** Whether all of it is on this machine: then no path leads anywhere else. */
  get areLocal(): boolean {
    if (this.version >= 0 && this.#isLocal !== undefined) return this.#isLocal;
    const lines = (readFile(`${this.#proc}/mountinfo`) ?? "").split("\n");
    return this.#isLocal = lines.every((line) => LOCAL.has(/ - (\S+) /.exec(line)?.[1] ?? ""));
  }
}
