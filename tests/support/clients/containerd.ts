/** containerd in a sandbox, and its command line ctr. */

import { IMAGE_TAR } from "./image.ts";
import type { Sandbox } from "./sandbox.ts";
import { install, snippet } from "./snippets.ts";

/** Waits at its end until the daemon answers. */
export const START_CONTAINERD = `
setsid containerd >> /run/containerd.log 2>&1 < /dev/null &
echo $! > /run/containerd.pid
poll ctr version
`;

/** Makes /run/archive.tar, an archive as \`docker save\` writes it, with one layer. */
export const ARCHIVE = `
cd /run && mkdir archive && cp ${IMAGE_TAR} archive/layer.tar
sum=$(sha256sum < ${IMAGE_TAR} | cut -d' ' -f1)
printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sleep","1000000"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \\
  "$(dpkg --print-architecture 2>/dev/null || echo amd64)" "$sum" > archive/config.json
echo '[{"Config":"config.json","RepoTags":["localhost/bb:latest"],"Layers":["layer.tar"]}]' > archive/manifest.json
tar -C archive -cf archive.tar manifest.json config.json layer.tar
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
