/** Propagation of mounts: linux.rootfsPropagation, and what the mounts' own options are under it. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { type Edit, mountsOf, readMounts, userNamespace } from "../../support/inside.ts";
import { command, commandLine, PEER, RUNTS_ONLY } from "../../support/runtime.ts";

/** In a mount namespace: the bundle as a mount, and later mounts of the host on and beside the root. */
const LATER = `
  bundle=$0 id=$1 host=$2 pivot=$3 top=$4; shift 4; shift
  mount "--make-r$top" /
  mount --bind "$bundle" "$bundle" && mount "--make-$host" "$bundle"
  "$@" create $pivot --bundle "$bundle" --pid-file "$bundle/pid" "$id" </dev/null >&2
  pid=$(cat "$bundle/pid")
  before=$(cut -d" " -f4- /proc/self/mountinfo)
  mount -t tmpfs late-root "$bundle/rootfs/tmp"; mount -t tmpfs late-volume "$bundle/volume"
  cat "/proc/$pid/mountinfo"
  umount "$bundle/rootfs/tmp" "$bundle/volume"
  [ "$before" = "$(cut -d" " -f4- /proc/self/mountinfo)" ] || echo "the host is not as it was" >&2
  "$@" delete --force "$id"
`;

interface Case {
  readonly host: "private" | "shared";
  readonly value?: string;
  readonly user?: boolean;
  readonly noPivot?: boolean;
  /** "/" of the host is shared, too. */
  readonly top?: boolean;
}

/** The propagation of the root, and which of the later mounts of the host are seen inside. */
async function seenLater(runtime: TestRuntime, one: Case): Promise<string> {
  using bundle = new Bundle((config) => {
    if (one.value !== undefined) config.linux.rootfsPropagation = one.value;
    if (one.user) userNamespace(config);
    config.mounts.push({ destination: "/mnt", source: "volume", type: "bind", options: ["rbind"] });
  });
  Deno.mkdirSync(`${bundle.path}/volume`);
  Deno.mkdirSync(`${bundle.rootfs}/mnt`);
  const { code, stdout, stderr } = await command([
    ...["unshare", "--mount", "--propagation", "private", "sh", "-ec", LATER, bundle.path],
    ...[
      runtime.id(),
      one.host,
      one.noPivot ? "--no-pivot" : "",
      one.top ? "shared" : "private",
      "--",
    ],
    ...commandLine(runtime.executable, ["--root", runtime.root]),
  ]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" }, JSON.stringify(one));
  const mounts = readMounts(stdout.trim().split("\n"));
  const late = [...mounts.values()].map(({ source }) => source)
    .filter((name) => name.startsWith("late-"));
  return [...mounts.get("/")!.propagation, ...late.sort()].join(" ");
}

const SHARED: [value: string | undefined, seen: string][] = [
  [undefined, "master late-root late-volume"],
  ["private", "late-volume"],
  ["rprivate", ""],
  ["slave", "master late-root late-volume"],
  ["rslave", "master late-root late-volume"],
  ["shared", "shared"],
  ["rshared", "shared"],
  ["unbindable", "unbindable late-volume"],
  ["runbindable", "unbindable"],
];

/** A mount that a user namespace has from the host stays its slave, as a volume that is shared does. */
const IN_USER_NAMESPACE: Record<string, string> = {
  shared: "shared late-volume",
  rshared: "shared late-volume",
};

Deno.test("a shared root is alone in its group", async () => {
  await withRuntime(async (runtime) => {
    for (const value of ["shared", "rshared"]) {
      const expected = PEER === "runc" ? "" : "shared"; // 1.1.5 leaves it private
      assertEquals(await seenLater(runtime, { host: "shared", value }), expected, value);
      assertEquals(await seenLater(runtime, { host: "private", value }), expected, value);
    }
  });
});

Deno.test({
  name: "rootfsPropagation decides which later mounts of the host are seen",
  ...RUNTS_ONLY, // runc 1.1.5 and crun 1.8 make no slave of "slave", and fail with unbindable
  fn: async () => {
    await withRuntime(async (runtime) => {
      for (const user of [false, true]) {
        for (const noPivot of [false, true]) {
          for (const [value, seen] of SHARED) {
            const one = { ...(value !== undefined && { value }), user, noPivot };
            const shared = (user ? IN_USER_NAMESPACE[value!] : undefined) ?? seen;
            const name = JSON.stringify(one);
            assertEquals(await seenLater(runtime, { ...one, host: "shared" }), shared, name);
            const alone = /^(shared|unbindable)?/.exec(seen)![0];
            assertEquals(await seenLater(runtime, { ...one, host: "private" }), alone, name);
          }
        }
      }
    });
  },
});

Deno.test({
  name: "--no-pivot neither covers nor unmounts anything on a host whose root is shared",
  ...RUNTS_ONLY, // runc 1.1.5 and crun 1.8 cover the host's root
  fn: async () => {
    await withRuntime(async (runtime) => {
      for (const value of ["shared", "rshared"]) {
        const one: Case = { host: "shared", value, noPivot: true, top: true };
        assertEquals(await seenLater(runtime, one), "shared", value);
      }
    });
  },
});

function tmpfs(config: Config, destination: string, ...options: string[]): void {
  config.mounts.push({ destination, type: "tmpfs", source: "tmpfs", options });
}

/** Mounts with options of their own, and one without on each. */
const OWN: Edit = (config) => {
  for (const own of ["shared", "private", "unbindable", "rprivate", "rshared"]) {
    tmpfs(config, `/m/${own}`, own);
    tmpfs(config, `/m/${own}/below`);
  }
  tmpfs(config, "/m/changed");
  tmpfs(config, "/m/changed", "remount", "bind", "private");
};

/** Under a root that is so: those without an option, and those of them on a shared mount. */
const UNDER: [value: string, plain: string, onShared: string][] = [
  ["rshared", "shared", "shared"],
  ["rprivate", "", ""],
  ["rslave", "", "shared"],
  ["runbindable", "unbindable", "unbindable"],
  ["shared", "", "shared"],
];

Deno.test({
  name: "the propagation options of a mount outlast that of the root",
  ...RUNTS_ONLY, // runc 1.1.5 sets the root's first, crun 1.8 last and for all
  fn: async () => {
    await withRuntime(async (runtime) => {
      for (const [value, plain, onShared] of UNDER) {
        const mounts = await mountsOf(runtime, (config, bundle) => {
          OWN(config, bundle);
          config.linux.rootfsPropagation = value;
          config.root.readonly = false;
        });
        const shown = Object.fromEntries(
          [...mounts].filter(([path]) => path.startsWith("/m/"))
            .map(([path, { propagation }]) => [path.slice(3), propagation.join()]),
        );
        assertEquals(shown, {
          ...{ shared: "shared", "shared/below": onShared },
          ...{ private: "", "private/below": plain },
          ...{ unbindable: "unbindable", "unbindable/below": plain },
          ...{ rprivate: "", "rprivate/below": plain },
          ...{ rshared: "shared", "rshared/below": onShared },
          changed: "",
        }, value);
      }
    });
  },
});
