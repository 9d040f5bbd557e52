/** buildah in a sandbox. It reads the files of podman, but takes its runtime by an option. */

import { IMAGE_TAR } from "./image.ts";
import { configurePodman } from "./podman.ts";
import type { Sandbox } from "./sandbox.ts";
import { install } from "./snippets.ts";

/** Names the runtime. */
export const PROFILE = "/etc/profile.d/buildah.sh";

/** Configures buildah and makes the image localhost/bb. */
export async function prepareBuildah(sandbox: Sandbox): Promise<void> {
  await configurePodman(sandbox);
  await install(sandbox, PROFILE);
  await sandbox.ok(`
    container=$(buildah from scratch)
    buildah add -q "$container" ${IMAGE_TAR} / >/dev/null
    buildah commit -q "$container" localhost/bb >/dev/null
    buildah rm "$container"
  `);
}
