/** Device nodes, as stat shows them inside. */

import { type Config } from "../../support/bundle.ts";
import { type Edit, inside, refused, shell } from "../../support/inside.ts";
import { PEER } from "../../support/runtime.ts";

/** Type, major and minor in hexadecimal, mode and owner. */
const SHOW = "stat -c '%n %F %t:%T %a %u:%g'";

function allow(config: Config): void {
  config.linux.resources = { devices: [{ allow: true, access: "rwm" }] };
}

inside("the default devices and links are there", (config) => {
  shell(
    config,
    `cd /dev; ${SHOW} null zero full random urandom tty; ` +
      "for link in fd stdin stdout stderr ptmx; do readlink $link; done; " +
      "echo lost > null; busybox head -c 3 zero | wc -c",
  );
}, [
  "null character special file 1:3 666 0:0",
  "zero character special file 1:5 666 0:0",
  "full character special file 1:7 666 0:0",
  "random character special file 1:8 666 0:0",
  "urandom character special file 1:9 666 0:0",
  "tty character special file 5:0 666 0:0",
  ..."/proc/self/fd|/proc/self/fd/0|/proc/self/fd/1|/proc/self/fd/2|pts/ptmx|3".split("|"),
]);

inside("the console of the host cannot be opened, even where its node can be made", (config) => {
  config.linux.devices = [{ type: "c", path: "/dev/system", major: 5, minor: 1 }];
  shell(config, "(true < /dev/system) 2>&1 || echo refused");
}, [
  "sh: can't open /dev/system: Operation not permitted",
  "refused",
], { ignore: PEER === "crun" }); // 1.8 allows it

inside("devices of the configuration have their numbers, modes and owners", (config) => {
  allow(config);
  config.linux.devices = [
    { type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 0o640, uid: 7, gid: 8 },
    { type: "b", path: "/dev/deep/er/disk", major: 7, minor: 300, fileMode: 0o600 },
    { type: "u", path: "/dev/unbuffered", major: 1, minor: 3, fileMode: 0o444 },
    { type: "p", path: "/dev/pipe", fileMode: 0o622, uid: 1, gid: 2 },
    { type: "c", path: "/srv/outside", major: 1, minor: 5, fileMode: 0o666 },
  ];
  config.process.user.umask = 0o077;
  shell(config, `${SHOW} /dev/fuse /dev/deep/er/disk /dev/unbuffered /dev/pipe /srv/outside`);
}, [
  "/dev/fuse character special file a:e5 640 7:8",
  "/dev/deep/er/disk block special file 7:12c 600 0:0",
  "/dev/unbuffered character special file 1:3 444 0:0",
  "/dev/pipe fifo 0:0 622 1:2",
  "/srv/outside character special file 1:5 666 0:0",
]);

inside("a device without a mode may be used by everybody", (config) => {
  allow(config);
  config.linux.devices = [{ type: "c", path: "/dev/mine", major: 1, minor: 5 }];
  shell(config, "stat -c %a /dev/mine");
}, ["666"]);

inside("a node that is there already and fits is kept", (config, bundle) => {
  allow(config);
  config.mounts = config.mounts.filter((mount: Config) => !mount.destination.startsWith("/dev"));
  new Deno.Command("mknod", { args: [`${bundle.rootfs}/dev/mine`, "c", "1", "5"] }).outputSync();
  config.linux.devices = [{ type: "c", path: "/dev/mine", major: 1, minor: 5, fileMode: 0o666 }];
  shell(config, "stat -c '%F %t:%T' /dev/mine");
}, ["character special file 1:5"]);

const MAKE = 'linux.devices[0]: make the character device 1:5 "/dev/mine": "/dev/mine" ';
const EXISTS = ": EEXIST (file exists)";
const MISMATCHED: [name: string, make: Edit, message: string][] = [
  ["a file is", (_, bundle) => bundle.put("dev/mine", "x"), `is a regular file${EXISTS}`],
  // It could be where another run had bound the host's.
  [
    "an empty file is",
    (_, bundle) => bundle.put("dev/mine", ""),
    "does not exist on the host: ENOENT (no such file or directory)",
  ],
  [
    "a directory is",
    (_, bundle) => Deno.mkdirSync(`${bundle.rootfs}/dev/mine`),
    `is a directory${EXISTS}`,
  ],
  ["another device is", (_, bundle) => {
    new Deno.Command("mknod", { args: [`${bundle.rootfs}/dev/mine`, "c", "1", "7"] }).outputSync();
  }, `is a character device 1:7${EXISTS}`],
  [
    "a symlink is",
    (_, bundle) => Deno.symlinkSync("/etc", `${bundle.rootfs}/dev/mine`),
    `is a symlink${EXISTS}`,
  ],
];
for (const [name, make, message] of MISMATCHED) {
  refused(`a device where ${name} in the image`, (config, bundle) => {
    config.mounts = config.mounts.filter((mount: Config) => !mount.destination.startsWith("/dev"));
    config.linux.devices = [{ type: "c", path: "/dev/mine", major: 1, minor: 5 }];
    make(config, bundle);
  }, MAKE + message);
}

refused("one path for two devices", (config) => {
  config.linux.devices = [
    { type: "c", path: "/dev/a", major: 1, minor: 3 },
    { type: "c", path: "/dev/a", major: 1, minor: 5 },
  ];
}, 'BUNDLE/config.json: linux.devices[1].path: "/dev/a" is device c 1:3 already');
refused("a device without numbers", (config) => {
  config.linux.devices = [{ type: "c", path: "/dev/a", major: 1 }];
}, "BUNDLE/config.json: linux.devices[0].minor: is required for type c");
refused("a device of an unknown type", (config) => {
  config.linux.devices = [{ type: "x", path: "/dev/a", major: 1, minor: 3 }];
}, 'BUNDLE/config.json: linux.devices[0].type: "x" is not one of c, b, u, p');
