/** Descriptors 0, 1 and 2 of a program. */

import type { Helper } from "../../ffi/helper.ts";
import type { Stdio } from "./types.ts";

const O_RDWR = 0o2;

/** What to hand to init; nothing for the streams of runts itself. */
export interface Streams {
  readonly fds?: readonly [number, number, number];
  close(): void;
}

/** Opens what the setting asks for. */
export function standardStreams(helper: Helper, stdio: Stdio): Streams {
  if (stdio === "inherit") return { close() {} };
  if (stdio !== "null") return { fds: stdio, close() {} };
  const fd = helper.open("/dev/null", O_RDWR);
  return { fds: [fd, fd, fd], close: () => helper.close(fd) };
}
