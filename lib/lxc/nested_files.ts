/** Files of a container, read as carefully as what somebody else may change at any moment. */

import { openBelow } from "../../ffi/nodes.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { errnoOf } from "../base/errors.ts";
import { O_PATH } from "../base/linux.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";

/** Bytes of a configuration with all that it includes. */
const BYTES_MAX = 1 << 20;
/** Names in a directory. */
const NAMES_MAX = 10_000;
/** What a file counts for at least, in bytes: there may be many. */
const FILE_COST = 4096;

/** What a look gives; undefined where the kernel refuses it: what is looked at has gone, or is not for the caller to see. */
export function ifSeen<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** The files of one configuration; paths are those of the container. */
export class NestedFiles {
  #left = BYTES_MAX;

  /** @param root of the container, as a path of the host that is no symlink of the container's */
  constructor(
    private readonly helper: LoadedRuntime["helper"],
    private readonly root: string,
  ) {}

  /** The text of a file. Throws what hinders. */
  readonly read = (path: string): string => this.#open(path, (own) => this.#text(own));

  /** The names in a directory; undefined if it is none, or cannot be read. */
  readonly list = (path: string): string[] | undefined =>
    ifSeen(() =>
      this.#open(path, (own) => {
        const names = Deno.readDirSync(own)[Symbol.iterator]().take(NAMES_MAX);
        return Array.from(names, ({ name }) => name);
      })
    );

  /** Whether there is a file. */
  isFile(path: string): boolean {
    return ifSeen(() => this.#open(path, (own) => Deno.statSync(own).isFile)) ?? false;
  }

  #open<T>(path: string, use: (own: string) => T): T {
    const fd = openBelow(this.root, path, O_PATH);
    try {
      return use(ownDescriptor(fd));
    } finally {
      this.helper.close(fd);
    }
  }

  #text(own: string): string {
    if (!Deno.statSync(own).isFile) throw new Error("it is not a file");
    using file = Deno.openSync(own);
    const bytes = new Uint8Array(this.#left + 1);
    let length = 0;
    for (let count = 1; count > 0 && length < bytes.length; length += count) {
      count = file.readSync(bytes.subarray(length)) ?? 0;
    }
    this.#left -= Math.max(length, FILE_COST);
    if (this.#left < 0) throw new Error(`there is more than ${BYTES_MAX >> 20} MiB of it`);
    return new TextDecoder().decode(bytes.subarray(0, length));
  }
}
