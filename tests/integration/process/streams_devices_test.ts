/** Devices of the host among the standard streams: what a container does to them stays inside. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { userNamespace } from "../../support/inside.ts";
import { command, commandLine, PEER, RUNTS_ONLY } from "../../support/runtime.ts";

const CAPABILITIES = ["CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE"];
/** What the container tries on each of its descriptors. */
const ATTACK = "for fd in 0 1 2; do chmod 600 /proc/self/fd/$fd; chown 4:4 /proc/self/fd/$fd; done";

/**
 * Nodes of our own in the place of the host's, in a mount namespace; afterwards what they are is
 * printed. "$0" is a directory, "$@" the command.
 */
const NODES = 'mkdir "$0/n" && minor=3; for name in null zero; do ' +
  'mknod -m 666 "$0/n/$name" c 1 $minor; chmod 666 "$0/n/$name"; ' +
  'mount --bind "$0/n/$name" /dev/$name; minor=5; done; ';
const SHOW = '; code=$?; umount /dev/null /dev/zero; stat -c "%a %u:%g %t:%T" "$0"/n/*; exit $code';
const UNTOUCHED = "666 0:0 1:3\n666 0:0 1:5\n";

/** Runs a shell line in which "$@" stands for the command of the runtime; gives what it printed. */
async function amongNodes(
  runtime: TestRuntime,
  script: string,
  words: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
  const directory = Deno.makeTempDirSync({ prefix: "runts-nodes-" });
  try {
    return await command([
      ...["unshare", "-m", "--propagation", "private", "sh", "-c", NODES + script + SHOW],
      ...[directory, ...line],
    ]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** A bundle that may do to its files what root may. */
function mighty(script: string, edit?: (config: Config, bundle: Bundle) => void): Bundle {
  const bundle = new Bundle((config) => {
    config.process.args = ["sh", "-c", script];
    for (const set of ["bounding", "effective", "permitted"]) {
      config.process.capabilities[set] = CAPABILITIES;
    }
  });
  edit?.(bundle.config, bundle);
  bundle.save();
  return bundle;
}

for (const kind of ["root", "another user", "root of a user namespace"]) {
  Deno.test({
    name: `the host's null device cannot be changed by ${kind} in a container`,
    ignore: PEER === "crun" && kind.includes("namespace"), // 1.8 itself changes the owner
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = mighty(ATTACK, (config, bundle) => {
          if (kind === "another user") config.process.user.uid = 1000;
          if (kind !== "root of a user namespace") return;
          userNamespace(config);
          Deno.chownSync(bundle.rootfs, 100_000, 100_000);
        });
        const words = ["run", "--bundle", bundle.path, runtime.id()];
        const { stdout } = await amongNodes(
          runtime,
          '"$@" </dev/null >/dev/null 2>/dev/null',
          words,
        );
        assertEquals(stdout, UNTOUCHED);
      }),
  });
}

Deno.test({
  name: "the host's null device cannot be changed by exec",
  ...RUNTS_ONLY, // runc 1.1.5 and crun 1.8 do this for the first process alone
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = mighty("sleep 1000");
      const id = runtime.id();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      const { stdout } = await amongNodes(
        runtime,
        '"$@" </dev/null >/dev/null 2>/dev/null',
        ["exec", id, "sh", "-c", ATTACK],
      );
      assertEquals(stdout, UNTOUCHED);
      await runtime.ok(["delete", "--force", id]);
    }),
});

Deno.test("the host's null device cannot be changed by a startContainer hook", async () => {
  await withRuntime(async (runtime) => {
    using bundle = mighty("true", (config) => {
      const args = ["sh", "-c", "chmod 600 /proc/self/fd/1; chown 4:4 /proc/self/fd/1"];
      config.hooks = { startContainer: [{ path: "/bin/sh", args, env: ["PATH=/bin"] }] };
    });
    const words = ["run", "--bundle", bundle.path, runtime.id()];
    const { stdout } = await amongNodes(
      runtime,
      '"$@" </dev/null >/dev/null 2>/dev/null',
      words,
    );
    assertEquals(stdout, UNTOUCHED);
  });
});

Deno.test({
  name:
    "exec in a user namespace that maps the host's root does not lend it the host's null device",
  ignore: PEER === "crun", // 1.8 ends the first process before
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = mighty(
        "umount /dev/null && rm /dev/null && touch /tmp/gone && exec sleep 1000",
        (config, bundle) => {
          userNamespace(config);
          const map = [{ containerID: 0, hostID: 0, size: 65_536 }];
          Object.assign(config.linux, { uidMappings: map, gidMappings: map });
          for (const set of ["bounding", "effective", "permitted"]) {
            config.process.capabilities[set] = [...CAPABILITIES, "CAP_SYS_ADMIN"];
          }
          config.root.readonly = false;
          bundle.put("etc/empty", "");
        },
      );
      const id = runtime.id();
      const empty = `${bundle.rootfs}/etc/empty`;
      await amongNodes(
        runtime,
        `"$@" <${empty} >${empty} 2>${empty}; ` +
          `until test -e ${bundle.rootfs}/tmp/gone; do sleep 0.02; done`,
        ["run", "--detach", "--bundle", bundle.path, id],
      );
      const { code, stdout, stderr } = await amongNodes(
        runtime,
        '"$@" </dev/null',
        ["exec", id, "sh", "-c", ATTACK],
      );
      assertEquals({ code, stdout }, { code: 255, stdout: UNTOUCHED });
      if (PEER === "runts") {
        assertEquals(
          stderr,
          `runts: exec "${id}": put the container's "/dev/null" in the place of the host's on ` +
            "descriptor 0: EPERM (operation not permitted): the container has lost its own, and its " +
            "user namespace maps the owner of the host's\n",
        );
      }
      await runtime.ok(["delete", "--force", id]);
    }),
});

for (const output of ["stdout", "stderr"]) {
  Deno.test(
    `the host's null device cannot be changed by a startContainer hook whose ${output} goes there`,
    RUNTS_ONLY, // runc knows no such annotation, and crun lends the host's
    async () => {
      await withRuntime(async (runtime) => {
        using bundle = mighty("true", (config) => {
          config.annotations = { [`run.oci.hooks.${output}`]: "/dev/null" };
          const args = ["sh", "-c", ATTACK];
          config.hooks = { startContainer: [{ path: "/bin/sh", args, env: ["PATH=/bin"] }] };
        });
        const words = ["run", "--bundle", bundle.path, runtime.id()];
        const { code, stdout } = await amongNodes(runtime, '"$@"', words);
        assertEquals({ code, stdout }, { code: 0, stdout: UNTOUCHED });
      });
    },
  );
}

Deno.test({
  name: "a null device that was opened to read can be written to",
  ignore: PEER === "runc", // 1.1.5 ends with 141
  fn: () =>
    withRuntime(async (runtime) => {
      // As go-runc opens it for `ctr run --null-io`.
      using bundle = mighty(
        "echo out && echo err >&2 && cat && test /proc/self/fd/1 -ef /dev/null",
      );
      const words = ["run", "--bundle", bundle.path, runtime.id()];
      const { code, stdout, stderr } = await amongNodes(
        runtime,
        '"$@" </dev/null 1</dev/null 2</dev/null',
        words,
      );
      assertEquals({ code, stdout, stderr }, { code: 0, stdout: UNTOUCHED, stderr: "" });
    }),
});

Deno.test(
  "other devices of memory, and preserved descriptors, are the container's too",
  RUNTS_ONLY,
  async () => {
    await withRuntime(async (runtime) => {
      using bundle = mighty(
        "for fd in 0 1 3 4; do chmod 600 /proc/self/fd/$fd; done; " +
          "test /proc/self/fd/0 -ef /dev/zero && test /proc/self/fd/3 -ef /dev/null && head -c 3 >&4",
      );
      const words = ["run", "--preserve-fds", "2", "--bundle", bundle.path, runtime.id()];
      const { code, stdout } = await amongNodes(
        runtime,
        '"$@" </dev/zero >/dev/null 3</dev/null 4>/dev/zero',
        words,
      );
      assertEquals({ code, stdout }, { code: 0, stdout: UNTOUCHED });
    });
  },
);

/** What an image may have in the place of /dev/null, where /dev is its own. */
const FAKES: Readonly<Record<string, (bundle: Bundle) => void>> = {
  "nothing": () => {},
  "a file": (bundle) => bundle.put("dev/null", "fake"),
  "a symlink to a file": (bundle) => {
    bundle.put("etc/secret", "secret");
    Deno.symlinkSync("/etc/secret", `${bundle.rootfs}/dev/null`);
  },
  "a symlink that leads out": (bundle) => {
    Deno.symlinkSync("/proc/1/root/dev/null", `${bundle.rootfs}/dev/null`);
  },
};
for (const [what, make] of Object.entries(FAKES)) {
  Deno.test(
    `where the image's /dev/null is ${what}, a node of its own is lent`,
    RUNTS_ONLY,
    async () => {
      await withRuntime(async (runtime) => {
        using bundle = mighty(
          `${ATTACK}; echo words; stat -L -c %t:%T /proc/self/fd/0 >/tmp/seen`,
          (config, bundle) => {
            // A /dev that is a bind mount brings its own nodes, or none.
            Deno.mkdirSync(`${bundle.path}/dev`);
            config.mounts = config.mounts.filter(({ destination }: Config) =>
              !destination.startsWith("/dev/")
            ).map((mount: Config) =>
              mount.destination === "/dev"
                ? { destination: "/dev", source: "rootfs/dev", options: ["bind"] }
                : mount
            );
            config.linux.maskedPaths = []; // a mask of files is a null device, too
            config.root.readonly = false;
            make(bundle);
          },
        );
        const words = ["run", "--bundle", bundle.path, runtime.id()];
        const { code, stdout } = await amongNodes(
          runtime,
          `cd ${bundle.path}; "$@" </dev/null >/dev/null 2>/dev/null`,
          words,
        );
        assertEquals({ code, stdout }, { code: 0, stdout: UNTOUCHED });
        assertEquals(Deno.readTextFileSync(`${bundle.rootfs}/tmp/seen`), "1:3\n");
      });
    },
  );
}
