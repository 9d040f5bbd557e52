/** Containers without a mount namespace: what they mount on the host goes with them. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { mountsOn, withRuntime } from "../../support/host.ts";
import { command, PEER } from "../../support/runtime.ts";

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

const RUNTS_ONLY = { ignore: PEER !== "runts" }; // the peers leave them

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
