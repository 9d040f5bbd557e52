/** criu in a sandbox. */

import { CRIU } from "../criu.ts";
import type { Sandbox } from "./sandbox.ts";

/** Puts criu where clients and runtimes find it. */
export async function linkCriu(sandbox: Sandbox): Promise<void> {
  if (CRIU.startsWith("/")) await sandbox.ok(`ln -s ${CRIU} /usr/local/sbin/criu`);
}
