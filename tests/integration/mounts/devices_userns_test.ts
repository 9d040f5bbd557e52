/** Device nodes of containers with a user namespace. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { inside, mountsOf, refused, shell, userNamespace } from "../../support/inside.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";

const SHOW = "stat -c '%n %F %t:%T %a %u:%g'";

function devices(config: Config, devices: readonly Config[]): void {
  config.linux.resources = { devices: [{ allow: true, access: "rwm" }] };
  config.linux.devices = devices;
}

const DEVICES = [
  { type: "c", path: "/dev/kmsg", major: 1, minor: 11, fileMode: 0o600, uid: 1000, gid: 1000 },
  { type: "c", path: "/dev/mine", major: 1, minor: 5, fileMode: 0o4642, gid: 7 },
  { type: "b", path: "/srv/deep/disk", major: 7, minor: 300 },
  { type: "p", path: "/dev/pipe", fileMode: 0o622, uid: 1, gid: 2 },
];
const SHOWN = [
  "/dev/kmsg character special file 1:b 600 1000:1000",
  "/dev/mine character special file 1:5 4642 0:7",
  "/srv/deep/disk block special file 7:12c 666 0:0",
  "/dev/pipe fifo 0:0 622 1:2",
];

inside(
  "in a user namespace devices have their numbers, modes and owners, whatever the host has",
  (config, bundle) => {
    userNamespace(config);
    devices(config, DEVICES);
    config.root.readonly = false;
    Deno.mkdirSync(`${bundle.rootfs}/srv`);
    Deno.chmodSync(`${bundle.rootfs}/srv`, 0o777);
    Deno.chmodSync(`${bundle.rootfs}`, 0o777);
    shell(config, `${SHOW} /dev/kmsg /dev/mine /srv/deep/disk /dev/pipe`);
  },
  SHOWN,
  RUNTS_ONLY,
);

inside("in a user namespace the default devices work and are root's", (config) => {
  userNamespace(config);
  shell(
    config,
    `${SHOW} /dev/null /dev/zero /dev/tty; echo lost > /dev/null; busybox head -c 3 /dev/zero | wc -c; ` +
      "cd / && ls ..",
  );
}, [
  "/dev/null character special file 1:3 666 0:0",
  "/dev/zero character special file 1:5 666 0:0",
  "/dev/tty character special file 5:0 666 0:0",
  "3",
  ..."bin dev etc proc root run sys tmp".split(" "),
], RUNTS_ONLY);

Deno.test("in a user namespace devices are mounts that execute nothing", async () => {
  await withRuntime(async (runtime) => {
    const mounts = await mountsOf(runtime, (config) => {
      userNamespace(config);
      devices(config, [{ type: "c", path: "/dev/kmsg", major: 1, minor: 11 }]);
    });
    for (const name of ["null", "zero", "full", "random", "urandom", "tty", "kmsg"]) {
      const mount = mounts.get(`/dev/${name}`);
      assertEquals(mount?.attributes.includes("nodev"), false, name);
      if (PEER !== "runts") continue; // keep what the host has, crun for some of them
      const flags = mount?.attributes.filter((flag) => flag === "nosuid" || flag === "noexec");
      assertEquals(flags, ["nosuid", "noexec"], name);
    }
  });
});

for (const joined of [false, true]) {
  Deno.test({
    name: "who is the host's root in a user namespace cannot change the host's devices" +
      (joined ? ", nor in one that is joined" : ""),
    ...RUNTS_ONLY,
    fn: async () => {
      const before = Deno.statSync("/dev/full");
      try {
        await withRuntime(async (runtime) => {
          using first = new Bundle((config) => userNamespace(config, 0));
          const id = runtime.id();
          await runtime.ok(["create", "--bundle", first.path, id]);
          const { pid } = await runtime.state(id);
          const { code, stdout, stderr } = await runtime.container((config) => {
            if (joined) {
              config.linux.namespaces.push({ type: "user", path: `/proc/${pid}/ns/user` });
            } else userNamespace(config, 0);
            shell(config, "chmod 600 /dev/full && stat -c %a /dev/full");
          });
          assertEquals({ code, stdout, stderr }, { code: 0, stdout: "600\n", stderr: "" });
          await runtime.ok(["delete", "--force", id]);
        });
        assertEquals(Deno.statSync("/dev/full").mode, before.mode);
      } finally {
        Deno.chmodSync("/dev/full", before.mode! & 0o7777);
      }
    },
  });
}

Deno.test({
  name: "in a user namespace that is joined, owners are its own ids",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using first = new Bundle((config) => {
        userNamespace(config);
        shell(config, "sleep 1000");
      });
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", first.path, id]);
      const { pid } = await runtime.state(id);
      const second = await runtime.container((config) => {
        config.linux.namespaces.push({ type: "user", path: `/proc/${pid}/ns/user` });
        devices(config, DEVICES.filter(({ path }) => path.startsWith("/dev/")));
        shell(config, `${SHOW} /dev/kmsg /dev/mine /dev/pipe`);
      });
      assertEquals(second, {
        code: 0,
        stdout: SHOWN.filter((line) => line.startsWith("/dev/")).map((line) => `${line}\n`).join(
          "",
        ),
        stderr: "",
      });
      await runtime.ok(["delete", "--force", id]);
    }),
});

Deno.test({
  name: "in a user namespace devices need no working directory that root of it can enter",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      const cwd = Deno.makeTempDirSync({ prefix: "runts-cwd-" }); // mode 0700
      try {
        const output = await runtime.container((config) => {
          userNamespace(config);
          devices(config, DEVICES.slice(0, 1));
          shell(config, `${SHOW} /dev/kmsg; cd / && ls .. | wc -l`);
        }, { cwd });
        assertEquals(output, { code: 0, stdout: `${SHOWN[0]}\n8\n`, stderr: "" });
      } finally {
        Deno.removeSync(cwd);
      }
    }),
});

refused("a device for a group that the user namespace has not", (config) => {
  userNamespace(config);
  devices(config, [{ type: "c", path: "/dev/mine", major: 1, minor: 5, gid: 70_000 }]);
}, "linux.devices[0].gid: 70000 is not mapped by linux.gidMappings");
