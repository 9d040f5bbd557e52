/** containerd in a sandbox, and its command line ctr. */

import { ARCHIVE } from "./image.ts";
import type { Sandbox } from "./sandbox.ts";
import { install, snippet } from "./snippets.ts";

/** Waits at its end until the daemon answers. */
export const START_CONTAINERD = `
setsid containerd >> /run/containerd.log 2>&1 < /dev/null &
echo $! > /run/containerd.pid
poll ctr version
`;

/** Configures and starts containerd, and imports the image. */
export async function prepareContainerd(sandbox: Sandbox): Promise<void> {
  await install(sandbox, "/etc/containerd/config.toml");
  await sandbox.write("/run/start", START_CONTAINERD);
  await sandbox.write("/run/runtimeclass.yaml", snippet("runtimeclass.yaml"));
  await sandbox.ok(
    `. /run/start; ${ARCHIVE} ctr -n runts-clients-$RUNTIME image import archive.tar`,
  );
}
