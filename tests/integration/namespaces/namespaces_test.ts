/** Namespaces: new ones, those given by path, and what belongs to them. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import {
  type Edit,
  inside,
  linesOf,
  mountsOf,
  refused,
  shell,
  userNamespace,
} from "../../support/inside.ts";
import { PEER, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { withDetached } from "../../support/seen.ts";

/** runc 1.1.5 knows no time namespaces, crun 1.8.1 fails with them. */
const NO_TIME = PEER !== "runts";

/** Types of the configuration and the names below /proc/PID/ns. */
const KINDS: Record<string, string> = {
  user: "user",
  pid: "pid",
  network: "net",
  ipc: "ipc",
  uts: "uts",
  mount: "mnt",
  cgroup: "cgroup",
  ...(!NO_TIME && { time: "time" }),
};
const TYPES = Object.keys(KINDS);

/** Prints the links of all kinds, in their order. */
const SHOW = `for kind in ${Object.values(KINDS).join(" ")}; do readlink /proc/self/ns/$kind; done`;

function linksOf(pid: number | "self"): string[] {
  return Object.values(KINDS).map((kind) => Deno.readLinkSync(`/proc/${pid}/ns/${kind}`));
}

function namespaces(config: Config, ...types: string[]): void {
  config.linux.namespaces = types.filter((type) => type !== "user").map((type) => ({ type }));
  if (types.includes("user")) userNamespace(config);
}

/** Runs a container that waits, while `body` uses its namespaces. */
function withHolder(
  runtime: TestRuntime,
  edit: Edit,
  body: (pid: number) => Promise<void>,
): Promise<void> {
  return withDetached(runtime, edit, async (id) => body((await runtime.state(id)).pid));
}

/** Gives a namespace its path. */
function join(config: Config, pid: number, ...types: string[]): void {
  for (const type of types) {
    const path = `/proc/${pid}/ns/${KINDS[type]}`;
    const known = config.linux.namespaces.find((one: Config) => one.type === type);
    if (known) known.path = path;
    else config.linux.namespaces.push({ type, path });
  }
}

Deno.test("every kind of namespace is new where it is listed", async () => {
  await withRuntime(async (runtime) => {
    const own = linksOf("self");
    const seen = await linesOf(runtime, (config) => {
      namespaces(config, ...TYPES);
      shell(config, SHOW);
    });
    assertEquals(seen.length, TYPES.length);
    for (const [index, link] of seen.entries()) assertNotEquals(link, own[index], TYPES[index]);
  });
});

Deno.test("a namespace that is not listed is the runtime's", async () => {
  await withRuntime(async (runtime) => {
    const own = linksOf("self");
    for (const [index, type] of TYPES.entries()) {
      // Without a mount namespace the procfs would stay; a user namespace has no sysfs then.
      if (type === "mount" || type === "user") continue;
      const seen = await linesOf(runtime, (config) => {
        namespaces(config, ...TYPES.filter((other) => other !== type && other !== "user"));
        if (type === "uts") delete config.hostname;
        if (type === "ipc") config.mounts.splice(4, 1);
        shell(config, SHOW);
      });
      const user = TYPES.indexOf("user");
      const same = TYPES.filter((_, at) => seen[at] === own[at]);
      assertEquals(same, TYPES.filter((_, at) => at === user || at === index));
    }
  });
});

Deno.test("every kind of namespace can be joined by its path", async () => {
  await withRuntime(async (runtime) => {
    const types = TYPES.filter((type) => type !== "user" && type !== "mount");
    await withHolder(runtime, (config) => namespaces(config, "mount", ...types), async (pid) => {
      const held = linksOf(pid);
      for (const type of types) {
        const seen = await linesOf(runtime, (config) => {
          namespaces(config, "mount", ...types);
          join(config, pid, type);
          if (type === "uts") delete config.hostname;
          shell(config, SHOW);
        });
        const same = TYPES.filter((_, at) => seen[at] === held[at]);
        assertEquals(same, TYPES.filter((other) => other === type || other === "user"), type);
      }
    });
  });
});

Deno.test("a pod's containers share network, ipc, uts and pid", async () => {
  await withRuntime(async (runtime) => {
    const shared = ["network", "ipc", "uts", "pid"];
    const pod: Edit = (config) => {
      namespaces(config, "mount", ...shared);
      config.hostname = "pod";
      config.linux.sysctl = { "kernel.shmmni": "111", "net.ipv4.ip_forward": "1" };
    };
    await withHolder(runtime, pod, async (pid) => {
      const seen = await linesOf(runtime, (config) => {
        namespaces(config, "mount");
        join(config, pid, ...shared);
        delete config.hostname;
        const proc = "/proc/sys";
        shell(
          config,
          `hostname; cat ${proc}/kernel/shmmni ${proc}/net/ipv4/ip_forward /proc/1/comm`,
        );
      });
      assertEquals(seen, ["pod", "111", "1", "sleep"]);
    });
  });
});

Deno.test({
  name: "a user namespace is joined with what belongs to it",
  ignore: PEER === "runc", // 1.1.5 wants mappings of a namespace that has them
  fn: joinUser,
});

async function joinUser(): Promise<void> {
  await withRuntime(async (runtime) => {
    const types = ["user", "network", "ipc", "uts"];
    await withHolder(
      runtime,
      (config) => namespaces(config, "mount", "pid", ...types),
      async (pid) => {
        const held = linksOf(pid);
        const seen = await linesOf(runtime, (config) => {
          namespaces(config, "mount", "pid");
          join(config, pid, ...types);
          delete config.hostname;
          shell(config, `${SHOW}; cat /proc/self/uid_map; echo $$`);
        });
        const same = TYPES.filter((_, at) => seen[at] === held[at]);
        const expected = [...types, "cgroup", ...(NO_TIME ? [] : ["time"])];
        assertEquals(same.sort(), expected.sort());
        // The pid namespace is new, and the map the holder's.
        assertEquals(seen.slice(TYPES.length).map((line) => line.trim().replace(/ +/g, " ")), [
          "0 100000 65536",
          "1",
        ]);
      },
    );
  });
}

Deno.test("a mount namespace is joined by its path", async () => {
  await withRuntime(async (runtime) => {
    const holder = new Deno.Command("unshare", {
      args: ["-m", "--propagation", "slave", "sleep", "1000"],
    }).spawn();
    await until(
      "it has unshared",
      () => Deno.readTextFileSync(`/proc/${holder.pid}/comm`) === "sleep\n",
    );
    try {
      const seen = await linesOf(runtime, (config) => {
        join(config, holder.pid, "mount");
        shell(config, "readlink /proc/self/ns/mnt");
      });
      assertEquals(seen, [Deno.readLinkSync(`/proc/${holder.pid}/ns/mnt`)]);
    } finally {
      holder.kill("SIGKILL");
      await holder.status;
    }
  });
});

for (const user of [false, true]) {
  const owner = user ? "a new user namespace" : "the host's user namespace";
  inside(
    `a time namespace of ${owner} has its offsets`,
    (config) => {
      namespaces(
        config,
        "mount",
        "pid",
        "network",
        "ipc",
        "uts",
        "time",
        ...(user ? ["user"] : []),
      );
      config.linux.timeOffsets = {
        monotonic: { secs: 1000, nanosecs: 5 },
        boottime: { secs: 4_000_000_000 },
      };
      const uptime = "cut -d. -f1 /proc/uptime";
      const late = `test $(busybox ${uptime}) -ge 4000000000 && echo later`;
      shell(config, `busybox tr -s ' \\t' ' ' < /proc/self/timens_offsets; ${late}`);
    },
    ["monotonic 1000 5", "boottime 4000000000 0", "later"],
    RUNTS_ONLY,
  );
}

inside("root of a user namespace is who the maps say", (config, bundle) => {
  userNamespace(config, 200_000, 1000);
  config.linux.gidMappings = [{ containerID: 0, hostID: 300_000, size: 1000 }];
  config.process.user = { uid: 5, gid: 6 };
  Deno.chmodSync(`${bundle.rootfs}/tmp`, 0o777);
  bundle.config.root.readonly = false;
  shell(config, "busybox tr -s ' ' < /proc/self/uid_map; busybox tr -s ' ' < /proc/self/gid_map");
}, [" 0 200000 1000", " 0 300000 1000"]);

Deno.test("files that are made in a user namespace belong to mapped ids on the host", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      userNamespace(config, 200_000, 1000);
      config.process.user = { uid: 5, gid: 6 };
      config.root.readonly = false;
      shell(config, "echo > /tmp/file");
    });
    Deno.chmodSync(`${bundle.rootfs}/tmp`, 0o777);
    await runtime.ok(["run", "--bundle", bundle.path, runtime.id()]);
    const { uid, gid } = Deno.statSync(`${bundle.rootfs}/tmp/file`);
    assertEquals([uid, gid], [200_005, 200_006]);
  });
});

/** The propagation of the root, and of a mount of the container. */
const PROPAGATION: [name: string, root: string][] = [
  ["shared", "shared"],
  ["rshared", "shared"],
  ["slave", ""],
  ["rslave", ""],
  ["private", ""],
  ["rprivate", ""],
  ["unbindable", "unbindable"],
  ["runbindable", "unbindable"],
];

Deno.test({
  name: "rootfsPropagation is that of the root",
  ...RUNTS_ONLY, // runc 1.1.5 leaves shared out, crun 1.8 fails with unbindable
  fn: rootPropagation,
});

async function rootPropagation(): Promise<void> {
  await withRuntime(async (runtime) => {
    for (const [name, expected] of PROPAGATION) {
      const mounts = await mountsOf(runtime, (config) => config.linux.rootfsPropagation = name);
      // A slave has a master only where the host's mount has peers.
      const shown = mounts.get("/")!.propagation.filter((field) => field !== "master");
      assertEquals(shown.join(), expected, name);
    }
  });
}

inside(
  "without a mount namespace the program sees the host's, from its root",
  (config) => {
    config.linux.namespaces = [{ type: "pid" }];
    config.linux.maskedPaths = config.linux.readonlyPaths = config.mounts = [];
    config.root.readonly = false;
    delete config.hostname;
    shell(config, "echo /*");
  },
  ["/bin /dev /etc /proc /root /run /sys /tmp"],
  RUNTS_ONLY,
); // they need /proc

const NAMESPACE_ERRORS: [name: string, edit: Edit, message: string][] = [
  [
    "a path that is no namespace",
    (config) => config.linux.namespaces[0].path = "/etc/passwd",
    'linux.namespaces[0].path: "/etc/passwd" is not a namespace file: EINVAL (invalid argument)',
  ],
  [
    "a path where nothing is",
    (config) => config.linux.namespaces[1].path = "/proc/1/ns/nosuch",
    'linux.namespaces[1].path: open "/proc/1/ns/nosuch": ENOENT (no such file or directory)',
  ],
  [
    "a relative path",
    (config) => config.linux.namespaces[1].path = "ns/net",
    'BUNDLE/config.json: linux.namespaces[1].path: "ns/net" is not an absolute path',
  ],
  [
    "the user namespace that it is in",
    (config) => config.linux.namespaces.push({ type: "user", path: "/proc/self/ns/user" }),
    "linux.namespaces[5].path: join user namespace: EINVAL (invalid argument): " +
    "runts is in that user namespace already",
  ],
  [
    "a kind twice",
    (config) => config.linux.namespaces.push({ type: "pid" }),
    'BUNDLE/config.json: linux.namespaces[5]: "pid" appears more than once',
  ],
  [
    "an unknown kind",
    (config) => config.linux.namespaces.push({ type: "net" }),
    'BUNDLE/config.json: linux.namespaces[5].type: "net" is not one of ' +
    "pid, network, mount, ipc, uts, user, cgroup, time",
  ],
  [
    "offsets without a time namespace",
    (config) => config.linux.timeOffsets = { boottime: { secs: 1 } },
    "BUNDLE/config.json: linux.timeOffsets: needs a time namespace in linux.namespaces",
  ],
  [
    "mappings without a user namespace",
    (config) => {
      const map = [{ containerID: 0, hostID: 1, size: 1 }];
      config.linux.uidMappings = config.linux.gidMappings = map;
    },
    "BUNDLE/config.json: linux.uidMappings: needs a user namespace in linux.namespaces " +
    '(and 1 more finding, see "runts validate")',
  ],
  [
    "offsets that would make time negative",
    (config) => {
      namespaces(config, "mount", "pid", "network", "ipc", "uts", "time");
      config.linux.timeOffsets = { boottime: { secs: -7_000_000_000 } };
    },
    'linux.timeOffsets: write "boottime -7000000000 0\\n" to "/proc/self/timens_offsets": ' +
    "ERANGE (numerical result out of range): the clock would be negative, or beyond 146 years",
  ],
];
for (const [name, edit, message] of NAMESPACE_ERRORS) refused(name, edit, message);
