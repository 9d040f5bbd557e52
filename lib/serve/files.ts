/** What a caller names, as it means it: the links of its own process, of its terminal and its streams. */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import type { CallersFiles } from "../base/document_file.ts";
import { ELOOP } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import { O_NONBLOCK, O_PATH } from "../base/linux.ts";
import type { FrontBody } from "../body/front.ts";
import { readDocumentLater } from "../runtime/document.ts";
import type { OwnHelper } from "../runtime/runtime.ts";

/** Opens by itself what leads through no link of a process, and has the front open the rest. */
export function frontFiles(
  helper: OwnHelper,
  front: FrontBody,
  reading: { count: number },
): CallersFiles {
  async function counted<T>(work: () => Promise<T>): Promise<T> {
    reading.count++;
    try {
      return await work();
    } finally {
      reading.count--;
    }
  }

  async function open(path: string, flags: number): Promise<number> {
    try {
      return await counted(() => helper.openPlain(path, flags));
    } catch (error) {
      if (errnoOf(error) !== ELOOP) throw error;
      return await front.open(path, flags);
    }
  }

  return {
    async read(path) {
      const fd = await open(path, O_NONBLOCK);
      try {
        return await counted(() => readDocumentLater(helper, ownDescriptor(fd)));
      } finally {
        helper.close(fd);
      }
    },
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
