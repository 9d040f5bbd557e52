/** Id-mapped mounts of what lies in the root filesystem. */

import { type Bundle, type Config } from "../../support/bundle.ts";
import { type Edit, inside, shell, userNamespace } from "../../support/inside.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";

/** A directory of root's with a file of user 5's, and the place that shows it mapped. */
function files(path: string): void {
  Deno.mkdirSync(`${path}/below`, { recursive: true });
  Deno.writeTextFileSync(`${path}/file`, "text\n");
  Deno.chownSync(`${path}/file`, 5, 5);
}

function view(config: Config, source: string, ...options: string[]): Config {
  const mount = { destination: "/w", type: "none", source, options };
  config.mounts.push(mount);
  shell(config, "stat -c '%u %g' /w; test ! -e /w/file || stat -c '%u %g' /w/file");
  return mount;
}

const CASES: [name: string, edit: Edit, seen: string[]][] = [
  ["a directory of the image", (config, bundle) => {
    view(config, `${bundle.rootfs}/data`, "bind", "idmap");
  }, ["0 0", "5 5"]],
  ["a directory of the image, by a relative path, with all below", (config) => {
    view(config, "rootfs/data", "rbind", "ridmap");
  }, ["0 0", "5 5"]],
  ["a directory of the image, with maps of its own", (config, bundle) => {
    const mount = view(config, `${bundle.rootfs}/data`, "bind");
    mount.uidMappings = mount.gidMappings = [{ containerID: 5, hostID: 100_007, size: 1 }];
  }, ["65534 65534", "7 7"]],
  ["what an earlier bind brings", (config, bundle) => {
    files(`${bundle.path}/volume`);
    config.mounts.push({
      destination: "/data",
      type: "bind",
      source: "volume",
      options: ["bind"],
    });
    view(config, `${bundle.rootfs}/data`, "bind", "idmap");
  }, ["0 0", "5 5"]],
  ["a tmpfs that an earlier mount brings", (config, bundle) => {
    config.mounts.push({ destination: "/data", type: "tmpfs", source: "tmpfs" });
    view(config, `${bundle.rootfs}/data`, "bind", "idmap");
  }, ["0 0"]],
  ["a directory of the image, with what earlier mounts have brought below", (config, bundle) => {
    files(`${bundle.path}/volume`);
    Deno.chownSync(`${bundle.rootfs}/data/below`, 100_000, 100_000);
    const bind = { type: "bind", source: "volume", options: ["bind"] };
    config.mounts.push({ destination: "/data/below/own", type: "tmpfs", source: "tmpfs" });
    config.mounts.push({ destination: "/data/below/bound", ...bind });
    view(config, "rootfs/data", "rbind", "ridmap");
    shell(config, "stat -c '%u %g' /w/file /w/below/own /w/below/bound/file");
  }, ["5 5", "0 0", "5 5"]],
];

for (const [name, edit, seen] of CASES) {
  inside(
    `in a user namespace an id-mapped bind shows ${name}`,
    (config, bundle: Bundle) => {
      userNamespace(config);
      for (const directory of ["data", "w"]) Deno.mkdirSync(`${bundle.rootfs}/${directory}`);
      files(`${bundle.rootfs}/data`);
      edit(config, bundle);
    },
    seen,
    RUNTS_ONLY,
  );
}
