/** The loopback device of a network namespace that is new. */

import { openNetlink } from "../../ffi/net.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { findLink, setUp } from "./links.ts";

/** Sets it up in the namespace of a process. */
export function setUpLoopback({ helper }: LoadedRuntime, pid: number): void {
  const netns = helper.open(`/proc/${pid}/ns/net`, 0);
  try {
    using socket = openNetlink(helper, netns);
    const link = findLink(socket, "lo");
    if (link !== undefined) setUp(socket, link);
  } finally {
    helper.close(netns);
  }
}
