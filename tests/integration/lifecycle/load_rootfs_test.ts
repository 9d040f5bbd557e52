/** Many containers at a time on one root filesystem: what each makes there, another may have made. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";

const AT_ONCE = 16;
const ROUNDS = 3;

/** A bundle whose /dev is the image's, with mount points and nodes that are missing. */
function sharedRoot(): Bundle {
  const bundle = new Bundle((config) => {
    config.root.readonly = false;
    config.mounts = config.mounts.filter(({ type }: { type: string }) => type !== "tmpfs");
    const options = ["bind"];
    for (const destination of ["/new/deep/er/directory", "/new/deep/other", "/one"]) {
      config.mounts.push({ destination, type: "bind", source: "volume", options });
      config.mounts.push({
        destination: `${destination}.file`,
        type: "bind",
        source: "file",
        options,
      });
    }
    config.linux.devices = [
      { path: "/dev/fifo", type: "p" },
      { path: "/dev/deep/er/null", type: "c", major: 1, minor: 3 },
    ];
    config.process.args = ["test", "-c", "/dev/deep/er/null", "-a", "-f", "/one.file"];
  });
  Deno.mkdirSync(`${bundle.path}/volume`);
  Deno.writeTextFileSync(`${bundle.path}/file`, "");
  return bundle;
}

/** As the image was. */
function clean(bundle: Bundle): void {
  for (const name of ["dev", "new", "one", "one.file"]) {
    try {
      Deno.removeSync(`${bundle.rootfs}/${name}`, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  Deno.mkdirSync(`${bundle.rootfs}/dev`);
}

Deno.test({
  name: `${AT_ONCE} containers at once on one root filesystem`,
  ...RUNTS_ONLY, // with the peers a node that another has just made is an error
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = sharedRoot();
      for (let round = 0; round < ROUNDS; round++) {
        clean(bundle);
        const outputs = await Promise.all(
          Array.from({ length: AT_ONCE }, () =>
            runtime.run(["run", "--bundle", bundle.path, runtime.id()])),
        );
        for (const output of outputs) {
          assertEquals(output, { code: 0, stdout: "", stderr: "" }, `round ${round}`);
        }
        const null_ = Deno.statSync(`${bundle.rootfs}/dev/deep/er/null`);
        assertEquals([null_.isCharDevice, null_.mode! & 0o7777, null_.rdev], [true, 0o666, 259]);
        assertEquals(Deno.readLinkSync(`${bundle.rootfs}/dev/ptmx`), "pts/ptmx");
      }
    }),
});

Deno.test({
  name: "containers whose nodes somebody else keeps removing",
  ...RUNTS_ONLY, // as above
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = sharedRoot();
      bundle.config.process.args = ["true"];
      bundle.save();
      const remover = new Deno.Command("sh", {
        args: ["-c", "while :; do rm -f zero full random fd stdin core ptmx fifo; done"],
        cwd: `${bundle.rootfs}/dev`,
        stderr: "null",
      }).spawn();
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const outputs = await Promise.all(
            Array.from({ length: 4 }, () =>
              runtime.run(["create", "--bundle", bundle.path, runtime.id()])),
          );
          for (const output of outputs) {
            assertEquals(output, { code: 0, stdout: "", stderr: "" }, `round ${round}`);
          }
          const ids = (await runtime.ok(["list", "--quiet"])).trim().split("\n");
          for (const id of ids) {
            await runtime.ok(["delete", "--force", id]);
          }
        }
      } finally {
        remover.kill("SIGKILL");
        await remover.status;
      }
    }),
});
