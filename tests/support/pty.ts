/** Pseudoterminals for tests, straight from the C library. */

import { openLibrary } from "../../ffi/bind.ts";

const LIBC = {
  // int posix_openpt(int flags);
  posix_openpt: { parameters: ["i32"], result: "i32" },
  // int unlockpt(int fd);
  unlockpt: { parameters: ["i32"], result: "i32" },
  // int ptsname_r(int fd, char *name, size_t size);
  ptsname_r: { parameters: ["i32", "buffer", "usize"], result: "i32" },
} as const;

/** O_RDWR | O_NOCTTY | O_CLOEXEC */
const FLAGS = 0o2 | 0o400 | 0o2000000;

/** A new terminal: the descriptor of its master, and the path of its other end. */
export function openPty(): { master: number; path: string } {
  const libc = openLibrary("libc.so.6", LIBC);
  const master = libc.posix_openpt(FLAGS);
  const name = new Uint8Array(128);
  if (master < 0 || libc.unlockpt(master) < 0 || libc.ptsname_r(master, name, 128n) !== 0) {
    throw new Error("no pseudoterminal can be made");
  }
  return { master, path: new TextDecoder().decode(name.subarray(0, name.indexOf(0))) };
}
