/** The helper library as a file that can be opened; nothing is written to a disk. */

import { RuntsError } from "../lib/base/errors.ts";
import { openLibrary } from "./bind.ts";
import { libraryBytes } from "./built.ts";
import { cString } from "./call.ts";
import { ownDescriptor } from "./own_descriptor.ts";

const MFD_CLOEXEC = 1;

const LIBC = {
  // int memfd_create(const char *name, unsigned int flags);
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
} as const;

/** Calls `open` with the path of the library. Throws RuntsError when there is none. */
export async function withLibraryFile<T>(open: (path: string) => T): Promise<T> {
  const bytes = await libraryBytes();
  const libc = openLibrary("libc.so.6", LIBC);
  const fd = libc.memfd_create(cString("runts"), MFD_CLOEXEC);
  if (fd < 0) throw new RuntsError("make a file in memory for the helper library");
  try {
    const path = ownDescriptor(fd);
    Deno.writeFileSync(path, bytes, { create: false });
    return open(path);
  } finally {
    libc.close(fd);
  }
}
