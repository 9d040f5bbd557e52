/** The image of the tests, made from static busybox: no registry is needed. */

import type { Sandbox } from "./sandbox.ts";

/** Where its root filesystem lies in a sandbox, as a tar archive. */
export const IMAGE_TAR = "/run/image.tar";

const APPLETS =
  "cat chmod chown dd echo env false grep head hostname id ip kill ln ls mkdir mount mountpoint " +
  "nproc ps pwd readlink rm sh sleep stat stty sync tail touch true tty umount uname wc";

/** Puts the archive into a sandbox: busybox, and the users root and app (1000). */
export async function makeImage(sandbox: Sandbox): Promise<void> {
  await sandbox.ok(`
    root=/run/image
    mkdir -p $root/bin $root/etc $root/root $root/home/app
    mkdir -m 1777 $root/tmp
    cp /bin/busybox $root/bin/
    for applet in ${APPLETS}; do ln -s busybox $root/bin/$applet; done
    echo root:x:0:0:root:/root:/bin/sh > $root/etc/passwd
    echo app:x:1000:1000:app:/home/app:/bin/sh >> $root/etc/passwd
    printf 'root:x:0:\\napp:x:1000:\\nextra:x:2000:app\\n' > $root/etc/group
    tar -C $root -cf ${IMAGE_TAR} .
  `);
}
