/** podman in a sandbox. */

import { IMAGE_TAR } from "./image.ts";
import type { Sandbox } from "./sandbox.ts";
import { install } from "./snippets.ts";

const CONF = "/etc/containers/containers.conf";

/** What a host without systemd and without a network for containers wants besides. */
const HOST = `
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
log_driver = "k8s-file"
netns = "none"
`;

/** Configures podman and imports the image as localhost/bb. */
export async function preparePodman(sandbox: Sandbox): Promise<void> {
  await configurePodman(sandbox);
  await sandbox.ok(`podman import ${IMAGE_TAR} localhost/bb`);
}

/** Writes the documented configuration, and what this host wants. */
export async function configurePodman(sandbox: Sandbox): Promise<void> {
  await install(sandbox, CONF);
  await sandbox.write(`${CONF}.d/host.conf`, HOST);
  await sandbox.write(
    "/etc/containers/policy.json",
    '{"default":[{"type":"insecureAcceptAnything"}]}',
  );
  await sandbox.write(
    "/etc/containers/storage.conf",
    '[storage]\ndriver = "overlay"\n' +
      'runroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n',
  );
}
