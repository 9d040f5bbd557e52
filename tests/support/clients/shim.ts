/** runts as a shim of containerd: a link under its own name, or in the place of runc's. */

import type { Sandbox } from "./sandbox.ts";

/** The directory comes first in PATH, where containerd looks shims up. */
const DIRECTORY = "/usr/local/sbin";

/**
 * Makes a link to runts, in the sandbox of runts alone: the others keep the shim of runc.
 *
 * @param name for the runtime io.containerd.runts.v2, or for io.containerd.runc.v2
 */
export async function linkShim(sandbox: Sandbox, name: "runts" | "runc"): Promise<void> {
  if (sandbox.name !== "runts") return;
  const link = `${DIRECTORY}/containerd-shim-${name}-v2`;
  await sandbox.ok(`ln -s "$(readlink -f ${DIRECTORY}/runts)" ${link}`);
}
