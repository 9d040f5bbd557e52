/** Masked and read-only paths, and a read-only root. */

import { assertEquals } from "@std/assert";
import { withRuntime } from "../../support/host.ts";
import { inside, linesOf, mountsOf, refused, shell, userNamespace } from "../../support/inside.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";

inside("a masked file is empty, a masked directory is empty and read-only", (config, bundle) => {
  config.root.readonly = false;
  bundle.put("etc/secret", "secret\n");
  Deno.mkdirSync(`${bundle.rootfs}/srv/below`, { recursive: true });
  config.linux.maskedPaths = ["/etc/secret", "/srv", "/nowhere", "/proc/keys"];
  shell(
    config,
    "cat /etc/secret /proc/keys; ls /srv; touch /srv/x 2>/dev/null || echo read-only; " +
      "stat -c '%F %t:%T' /etc/secret; test -e /nowhere || echo missing",
  );
}, ["read-only", "character special file 1:3", "missing"]);

Deno.test({
  name: "masked directories share one filesystem, and a path that comes twice is masked once",
  ...RUNTS_ONLY, // runc 1.1 and crun 1.8 mount one for each
  fn: () =>
    withRuntime(async (runtime) => {
      const lines = await linesOf(runtime, (config, bundle) => {
        for (const name of ["a", "b", "c"]) {
          Deno.mkdirSync(`${bundle.rootfs}/srv/${name}`, { recursive: true });
        }
        config.linux.maskedPaths = ["/srv/a", "/srv/b", "/srv/a", "/srv/c", "/srv/../srv/b"];
        config.process.args = ["cat", "/proc/self/mountinfo"];
      });
      const masks = lines.map((line) => line.split(" ")).filter(([, , , , point]) =>
        point!.startsWith("/srv/")
      );
      assertEquals(masks.map(([, , , , point]) => point), ["/srv/a", "/srv/b", "/srv/c"]);
      const [device] = masks.map(([, , device]) => device);
      for (const mask of masks) {
        const [, , its, root, point, attributes] = mask;
        assertEquals([its, root, attributes], [device, "/", "ro,relatime"], point);
        assertEquals(mask.slice(mask.indexOf("-") + 1, -1), ["tmpfs", "tmpfs"], point);
      }
    }),
});

inside("a read-only path keeps its contents and takes no writes", (config, bundle) => {
  config.root.readonly = false;
  Deno.mkdirSync(`${bundle.rootfs}/srv/below`, { recursive: true });
  bundle.put("srv/file", "text\n");
  config.linux.readonlyPaths = ["/srv", "/etc/passwd", "/nowhere", "/srv"];
  shell(
    config,
    "cat /srv/file; for f in /srv/x /srv/below/x /etc/passwd /etc/new; do " +
      "{ echo > $f; } 2>/dev/null && echo $f written; done; true",
  );
}, ["text", "/etc/new written"]);

Deno.test({
  name: "a read-only path keeps the attributes of its mount",
  ignore: PEER === "crun", // 1.8.1 drops them
  fn: keepAttributes,
});

async function keepAttributes(): Promise<void> {
  await withRuntime(async (runtime) => {
    const mounts = await mountsOf(runtime, (config) => {
      config.linux.readonlyPaths = ["/dev/shm"];
    });
    const { attributes } = mounts.get("/dev/shm")!;
    assertEquals(attributes.slice(0, 4), ["ro", "nosuid", "nodev", "noexec"]);
  });
}

inside("symlinks on the way to a masked path stay inside", (config, bundle) => {
  config.root.readonly = false;
  bundle.put("etc/secret", "secret\n");
  Deno.symlinkSync("/etc", `${bundle.rootfs}/link`);
  config.linux.maskedPaths = ["/link/secret"];
  shell(config, "cat /etc/secret");
}, []);

inside("in a user namespace, too", (config, bundle) => {
  userNamespace(config);
  bundle.put("etc/secret", "secret\n");
  config.linux.maskedPaths = ["/etc/secret", "/proc/acpi"];
  config.linux.readonlyPaths = ["/proc/sys", "/dev/shm"];
  shell(config, "cat /etc/secret; { echo > /dev/shm/x; } 2>/dev/null || echo read-only");
}, ["read-only"]);

for (const readonly of [true, false]) {
  inside(`a root that is ${readonly ? "read-only" : "writable"}`, (config) => {
    config.root.readonly = readonly;
    shell(config, "{ echo > /etc/new; } 2>/dev/null && echo written; touch /dev/shm/x && echo ok");
  }, readonly ? ["ok"] : ["written", "ok"]);
}

refused("a masked path that is relative", (config) => {
  config.linux.maskedPaths = ["proc/kcore"];
}, 'BUNDLE/config.json: linux.maskedPaths[0]: "proc/kcore" is not an absolute path');
refused("masked paths without a mount namespace", (config) => {
  config.linux.namespaces.pop();
  config.linux.readonlyPaths = [];
  config.linux.maskedPaths = ["/proc/kcore"];
}, "BUNDLE/config.json: linux.maskedPaths: needs a mount namespace in linux.namespaces");
