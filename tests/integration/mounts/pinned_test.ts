/** Binds of trees in which a file holds a mount namespace, as snapd has them in /run/snapd/ns. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { userNamespace } from "../../support/inside.ts";
import { command, commandLine, PEER } from "../../support/runtime.ts";

/** In a mount namespace: a tree with the file at $1, then the container. */
const PINNED = `
  at=$1; shift
  mount -t tmpfs tree "$at" && mount --make-private "$at" && mkdir "$at/ns"
  mount --bind "$at/ns" "$at/ns" && mount --make-private "$at/ns"
  touch "$at/ns/held"; echo text >"$at/file"; chown 5:5 "$at/file"
  # Whether the kernel takes the new one for younger is chance since Linux 6.18.
  until unshare "--mount=$at/ns/held" true 2>/dev/null; do :; done
  exec "$@"
`;

const MAP = [{ containerID: 5, hostID: 100_005, size: 1 }];

/** What the program prints: the owner of the file, and how many mount namespaces are held in sight. */
const CASES: [name: string, edit: (config: Config, mount: Config) => void, owner: string][] = [
  ["", () => {}, "5"],
  [" in a user namespace", (config) => userNamespace(config), "65534"],
  [" with an id map", (_, mount) => mount.uidMappings = mount.gidMappings = MAP, "100005"],
  [" with a recursive id map in a user namespace", (config, mount) => {
    userNamespace(config);
    mount.options.push("ridmap");
  }, "5"],
];

for (const [name, edit, owner] of CASES) {
  for (const place of ["volume", "rootfs/mnt"]) {
    Deno.test({
      name: `a tree (${place}) where a mount namespace is held is bound${name}`,
      ignore: PEER !== "runts" && name.includes("id map"), // as in mounts_idmap_test.ts
      fn: () => bind(place, edit, owner),
    });
  }
}

async function bind(place: string, edit: typeof CASES[0][1], owner: string): Promise<void> {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      const mount = { destination: "/w", type: "none", source: place, options: ["rbind"] };
      config.mounts.push(mount);
      edit(config, mount);
      const look = "stat -c %u /w/file; grep -c nsfs /proc/self/mountinfo";
      config.process.args = ["sh", "-c", look];
    });
    for (const name of ["volume", "rootfs/mnt", "rootfs/w"]) {
      Deno.mkdirSync(`${bundle.path}/${name}`);
    }
    const output = await command([
      ...["unshare", "--mount", "--propagation", "private", "sh", "-ec", PINNED, "sh"],
      `${bundle.path}/${place}`,
      ...commandLine(runtime.executable, ["--root", runtime.root]),
      ...["run", "--bundle", bundle.path, runtime.id()],
    ]);
    assertEquals(output, { code: 1, stdout: `${owner}\n0\n`, stderr: "" });
  });
}
