/** The image of the tests, made from static busybox: no registry is needed. */

import type { Sandbox } from "./sandbox.ts";

/** Where its root filesystem lies in a sandbox, as a tar archive. */
export const IMAGE_TAR = "/run/image.tar";

const APPLETS =
  "cat chmod chown dd echo env false grep head hostname id ip kill ln ls mkdir mount mountpoint " +
  "nproc ps pwd readlink rm sh sleep stat stty sync tail touch true tty umount uname wc";

/** Shell: says `up` and ends with 7 when asked to by SIGTERM; it starts no process meanwhile. */
export const POLITE = 'trap "exit 7" TERM; echo up; sleep 1000 & wait';

/**
 * Shell: uses up its memory once /tmp/go is there. containerd and Docker miss what happens before
 * their call to the runtime's start has come back.
 */
export const GREEDY =
  "until [ -e /tmp/go ]; do sleep 0.05; done; exec dd if=/dev/zero of=/dev/null bs=64M count=1";

/** Puts the archive into a sandbox. */
export async function makeImage(sandbox: Sandbox): Promise<void> {
  await sandbox.ok(imageScript("/run/image", IMAGE_TAR));
}

/** Shell that makes the archive: busybox, and the users root and app (1000). */
export function imageScript(root: string, tar: string): string {
  return `
    root=${root}
    mkdir -p $root/bin $root/etc $root/root $root/home/app
    mkdir -m 1777 $root/tmp
    cp /bin/busybox $root/bin/
    for applet in ${APPLETS}; do ln -s busybox $root/bin/$applet; done
    echo root:x:0:0:root:/root:/bin/sh > $root/etc/passwd
    echo app:x:1000:1000:app:/home/app:/bin/sh >> $root/etc/passwd
    printf 'root:x:0:\\napp:x:1000:\\nextra:x:2000:app\\n' > $root/etc/group
    tar -C $root -cf ${tar} .
  `;
}

/** Makes /run/archive.tar, an archive as \`docker save\` writes it, with one layer. */
export const ARCHIVE = `
cd /run && mkdir archive && cp ${IMAGE_TAR} archive/layer.tar
sum=$(sha256sum < ${IMAGE_TAR} | cut -d' ' -f1)
printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sleep","1000000"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \\
  "$(dpkg --print-architecture 2>/dev/null || echo amd64)" "$sum" > archive/config.json
echo '[{"Config":"config.json","RepoTags":["localhost/bb:latest"],"Layers":["layer.tar"]}]' > archive/manifest.json
tar -C archive -cf archive.tar manifest.json config.json layer.tar
`;
