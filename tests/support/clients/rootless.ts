/** A user in a sandbox who runs podman. */

import { IMAGE_TAR } from "./image.ts";
import { configurePodman } from "./podman.ts";
import { PRELUDE, type Sandbox } from "./sandbox.ts";
import type { Check } from "./suite.ts";

const NAME = "runtstest";
const ID = 4242;
const HOME = "/run/home-of-user";
const RUNTIME_DIR = `/run/user/${ID}`;

/** What only a user can ask for. */
export const ROOTLESS_CHECKS: readonly Check[] = [
  {
    name: "the user's own id",
    script: "podman run --rm --userns keep-id bb sh -c 'id -u; touch /tmp/f && stat -c %u /tmp/f'",
    stdout: `${ID}\n${ID}\n`,
  },
  {
    name: "ids of the user's user namespace",
    script: "podman run --rm bb sh -c 'id -u; cat /proc/self/uid_map' | tr -s ' '",
    stdout: `0\n 0 ${ID} 1\n 1 1000000 65536\n`,
  },
];

/** The script, run by the user. */
export function asUser(script: string): string {
  const quoted = (PRELUDE + script).replaceAll("'", `'\\''`);
  return `exec setpriv --reuid ${ID} --regid ${ID} --clear-groups env HOME=${HOME} ` +
    `USER=${NAME} XDG_RUNTIME_DIR=${RUNTIME_DIR} TMPDIR=${HOME} sh -c '${quoted}'`;
}

/** Makes the user, with ids to hand out, and the image for him. */
export async function prepareRootless(sandbox: Sandbox): Promise<void> {
  await configurePodman(sandbox);
  const account = `${NAME}:x:${ID}:${ID}::${HOME}:/bin/sh`;
  const lines: [string, string][] = [
    ["passwd", account],
    ["group", `${NAME}:x:${ID}:`],
    ["subuid", `${NAME}:1000000:65536`],
    ["subgid", `${NAME}:1000000:65536`],
  ];
  for (const [file, line] of lines) {
    await sandbox.ok(`
      (cat /etc/${file} 2>/dev/null; echo '${line}') > /run/${file}
      [ -e /etc/${file} ] || touch /etc/${file}
      mount --bind /run/${file} /etc/${file}
    `);
  }
  await sandbox.ok(`mkdir -p ${HOME} ${RUNTIME_DIR} && chown ${ID}:${ID} ${HOME} ${RUNTIME_DIR}
    chmod 1777 /var/tmp`);
  await sandbox.write("/etc/containers/storage.conf", '[storage]\ndriver = "vfs"\n');
  await sandbox.ok(asUser(`podman import ${IMAGE_TAR} localhost/bb`));
}
