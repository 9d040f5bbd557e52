/** What a caller names, as it means it: the links of its own process, of its terminal and its streams. */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { AT_ONCE, type CallersFiles } from "../base/document_file.ts";
import { ELOOP } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import { O_NONBLOCK, O_PATH } from "../base/linux.ts";
import type { FrontBody } from "../body/front.ts";
import { readDocumentLater, readPipeLater } from "../runtime/document.ts";
import type { OwnHelper } from "../runtime/runtime.ts";
import type { Mounts } from "./remote.ts";

/** A front's standard input, which is a pipe: a command that is to read anything else runs cold. */
const INPUT = "/dev/stdin";

/** What decides how a file is read. */
export interface Reading {
  readonly mounts: Mounts;
  /** How many files are being opened or read by other threads. */
  count: number;
}

/**
 * Opens by itself what leads through no link of a process, and has the front open the rest; at once, which is
 * the quickest, where no file can keep the others waiting.
 */
export function frontFiles(helper: OwnHelper, front: FrontBody, reading: Reading): CallersFiles {
  /** A file system may never answer: whoever has gone is not waited for, and what comes then is dropped. */
  async function later<T>(work: () => Promise<T>, drop: (late: T) => void = () => {}): Promise<T> {
    const { ended } = front;
    const { promise: gone, reject } = Promise.withResolvers<never>();
    const end = () => reject(ended.reason);
    ended.throwIfAborted();
    ended.addEventListener("abort", end);
    reading.count++;
    const working = work();
    try {
      return await Promise.race([working, gone]);
    } catch (error) {
      if (ended.aborted) working.then(drop, () => {});
      throw error;
    } finally {
      ended.removeEventListener("abort", end);
      reading.count--;
    }
  }

  async function open(path: string, flags: number): Promise<number> {
    try {
      return reading.mounts.areLocal
        ? helper.openPlainNow(path, flags)
        : await later(() => helper.openPlain(path, flags), (fd) => helper.close(fd));
    } catch (error) {
      if (errnoOf(error) !== ELOOP) throw error;
      return await front.open(path, flags);
    }
  }

  return {
    async read(path) {
      const fd = await open(path, O_NONBLOCK);
      const opened = ownDescriptor(fd);
      try {
        return reading.mounts.areLocal && Deno.statSync(opened).isFile
          ? await AT_ONCE.read(opened)
          : await later(() => readDocumentLater(helper, opened, front.ended));
      } finally {
        helper.close(fd);
      }
    },
    readInput: () => readInput(helper, front),
    async stat(path) {
      const fd = await open(path, O_PATH);
      try {
        return Deno.statSync(ownDescriptor(fd));
      } finally {
        helper.close(fd);
      }
    },
  };
}

async function readInput(helper: OwnHelper, front: FrontBody): Promise<string> {
  const pipe = await front.open(INPUT, O_NONBLOCK);
  try {
    return await readPipeLater(helper, pipe, front.ended);
  } finally {
    helper.close(pipe);
  }
}
