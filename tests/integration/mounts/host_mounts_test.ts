/** Containers without a mount namespace: what they mount on the host goes with them. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { mountsOn, withRuntime } from "../../support/host.ts";
import { refused } from "../../support/inside.ts";
import { command, RUNTS_ONLY } from "../../support/runtime.ts";

/** A container that shares the host's mounts, and has one of each kind. */
function share(config: Config, bundle: Bundle): void {
  config.linux.namespaces = [{ type: "pid" }];
  config.linux.maskedPaths = config.linux.readonlyPaths = [];
  delete config.hostname;
  Deno.mkdirSync(`${bundle.path}/volume`);
  config.mounts = [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/tmp", type: "tmpfs", source: "tmpfs" },
    { destination: "/tmp/with space", type: "none", source: "volume", options: ["bind"] },
  ];
}

Deno.test({
  name: "delete takes away what create mounted on the host, and nothing else",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
      share(bundle.config, bundle);
      bundle.save();
      const others = `${bundle.rootfs}/root`;
      await command(["mount", "-t", "tmpfs", "others", others]);
      try {
        const id = runtime.id();
        await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
        assertEquals(mountsOn(bundle), [
          "/root",
          "",
          "/root",
          "/proc",
          "/tmp",
          "/tmp/with space",
        ]);
        await runtime.ok(["delete", "--force", id]);
        assertEquals(mountsOn(bundle), ["/root"]);
      } finally {
        await command(["umount", others]);
      }
    }),
});

Deno.test({
  name: "a create that fails takes its mounts away from the host",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = ["/nosuch"]);
      share(bundle.config, bundle);
      bundle.save();
      assertEquals((await runtime.run(["create", "--bundle", bundle.path, runtime.id()])).code, 1);
      assertEquals(mountsOn(bundle), []);
    }),
});

/** In a mount namespace with a /dev of its own: the mounts and nodes, then, deleted, and after a failure. */
const ROOT_OF_THE_HOST = `
  bundle=$0 id=$1; shift
  mkdir "$bundle/dev" && mount -t tmpfs -o mode=755 dev "$bundle/dev"
  for node in null,1,3 zero,1,5 full,1,7 random,1,8 urandom,1,9 tty,5,0 ptmx,5,2; do
    mknod -m 666 "$bundle/dev/\${node%%,*}" c $(echo "\${node#*,}" | tr , " ")
  done
  mkdir "$bundle/dev/pts" "$bundle/dev/shm" && mount --bind "$bundle/dev" /dev
  look() {
    cut -d" " -f5 /proc/self/mountinfo | grep -F "$bundle/" | sed "s|$bundle||"
    stat -c "%n %F" /dev/*
  }
  look >"$bundle/before"
  "$@" create --bundle "$bundle" "$id" </dev/null >&2
  mount -t tmpfs others "$bundle/others"
  look | diff "$bundle/before" - | grep "^[<>]" || :
  "$@" delete --force "$id"
  echo deleted
  look | diff "$bundle/before" - | grep "^[<>]" || :
  umount "$bundle/others"
  sed -i s,/bin/sleep,/nosuch, "$bundle/config.json"
  "$@" create --bundle "$bundle" "$id" </dev/null 2>"$bundle/failure" || echo failed
  look | diff "$bundle/before" - || :
`;

Deno.test({
  name: "the host's own root loses what create mounted on it, and its /dev stays as it is",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.process.args = ["/bin/sleep", "1000"];
        config.root = { path: "/" };
      });
      share(bundle.config, bundle);
      for (const name of ["at", "others"]) Deno.mkdirSync(`${bundle.path}/${name}`);
      bundle.config.mounts = [
        { destination: `${bundle.path}/at`, type: "tmpfs", source: "tmpfs" },
        { destination: `${bundle.path}/at/in`, type: "bind", source: "volume" },
      ];
      bundle.save();
      const { code, stdout, stderr } = await command([
        ...["unshare", "--mount", "--propagation", "private", "sh", "-ec", ROOT_OF_THE_HOST],
        ...[bundle.path, runtime.id(), runtime.executable, "--root", runtime.root],
      ]);
      assertEquals({ code, stdout, stderr }, {
        code: 0,
        stdout: "> /at\n> /at/in\n> /others\ndeleted\n> /others\nfailed\n",
        stderr: "",
      });
    }),
});

refused(
  "to make the host's own root read-only",
  (config) => {
    config.linux.namespaces = [{ type: "pid" }];
    config.linux.maskedPaths = config.linux.readonlyPaths = config.mounts = [];
    delete config.hostname;
    config.root = { path: "/", readonly: true };
  },
  'root.readonly: make "/" read-only: without a mount namespace it is the host\'s root: add a mount ' +
    "namespace to linux.namespaces",
);
