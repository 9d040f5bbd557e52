/** struct pollfd of poll(2): fd i32, events i16, revents i16. */

import { check, outside } from "./call.ts";
import type { Library } from "./library.ts";
import { Size } from "./symbols.ts";

/** What a failed wait was. */
export const OPERATION = "wait for descriptors";

/** Events of poll(2). Errors and hang-ups are always reported. */
export const POLLIN = 1;
export const POLLOUT = 4;

/** An array of struct pollfd; a negative descriptor is never ready. */
export function pollBuffer(fds: readonly number[], events: number): Uint8Array<ArrayBuffer> {
  const bytes = outside(Math.max(1, fds.length) * Size.pollfd);
  const view = new DataView(bytes.buffer);
  for (const [index, fd] of fds.entries()) {
    view.setInt32(index * Size.pollfd, fd, true);
    view.setInt16(index * Size.pollfd + 4, events, true);
  }
  return bytes;
}

/** Those of the descriptors that poll(2) found ready, in error, or hung up. */
function readyOf(fds: readonly number[], polled: Uint8Array<ArrayBuffer>): number[] {
  const view = new DataView(polled.buffer);
  return fds.filter((_, index) => view.getInt16(index * Size.pollfd + 6, true) !== 0);
}

/** Those that are ready within that time, in ms. */
export function look(
  library: Library,
  fds: readonly number[],
  events: number,
  timeoutMs: number,
): number[] {
  const polled = pollBuffer(fds, events);
  check(library.rts_poll(polled, fds.length, timeoutMs), OPERATION);
  return readyOf(fds, polled);
}
