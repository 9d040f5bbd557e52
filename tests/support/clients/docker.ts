/** Docker in a sandbox: the daemon with its own containerd. */

import { IMAGE_TAR } from "./image.ts";
import type { Sandbox } from "./sandbox.ts";
import { install } from "./snippets.ts";

/**
 * Waits at its end until the daemon answers. No bridge: the sandbox has no firewall to set up. Checkpoints are
 * an experiment of Docker's.
 */
const START_DOCKERD = `
setsid dockerd --experimental --bridge none --iptables=false --ip6tables=false --live-restore \\
  --cgroup-parent /runts-clients-docker-$RUNTIME >> /run/dockerd.log 2>&1 < /dev/null &
poll docker version
`;

/** BuildKit, inside dockerd, calls the first \`runc\` of PATH. */
const BUILDKIT = "ln -s runts /usr/local/sbin/runc";

/** Configures and starts dockerd, and imports the image as bb. */
export async function prepareDocker(sandbox: Sandbox): Promise<void> {
  await install(sandbox, "/etc/docker/daemon.json");
  await sandbox.write("/run/start", START_DOCKERD);
  await sandbox.ok(`${BUILDKIT}; . /run/start; docker import ${IMAGE_TAR} bb`);
}
