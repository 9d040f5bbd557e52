/** Numbers of the kernel's interface, as x86-64 and arm64 have them. */

/** open(2): asm-generic/fcntl.h. */
export const O_RDONLY = 0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_NOCTTY = 0o400;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_PATH = 0o10000000;
/** O_DIRECTORY differs: asm/fcntl.h of arm64. */
export const O_DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;

/** Types of files (inode(7)). */
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;

/** CLONE_NEW* (linux/sched.h), by the specification's names. */
export const NAMESPACE_FLAGS = {
  time: 0x80,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
} as const;
