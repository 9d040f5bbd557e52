/** Id maps of an ordinary user's containers: subordinate ids, and maps that are not given. */

import { assertEquals } from "@std/assert";
import type { Config } from "../../support/bundle.ts";
import {
  lines,
  MAPS,
  onTerminal,
  OURS,
  refused,
  rootless,
  shell,
  withDetached,
} from "../../support/rootless.ts";
import { type CommandOptions, PEER } from "../../support/runtime.ts";
import type { OrdinaryUser } from "../../support/user.ts";

/** A user with subordinate ids, whom newuidmap knows. */
function known(
  user: OrdinaryUser,
  subuid = "tester:500000:65536\n",
  subgid = subuid,
): void {
  user.register({
    passwd: `root:x:0:0:root:/root:/bin/sh\ntester:x:${user.id}:${user.id}::/:/bin/sh\n`,
    subuid,
    subgid,
  });
}

/** Maps the user to root, and its subordinate ids above that. */
function mapRange(config: Config, user: OrdinaryUser, start = 500000, size = 65536): void {
  config.linux.uidMappings = config.linux.gidMappings = [
    { containerID: 0, hostID: user.id, size: 1 },
    { containerID: 1, hostID: start, size },
  ];
}

/** A script that goes on until it is killed. */
const WAIT = "while :; do sleep 0.05; done";

/** What a map of all subordinate ids looks like inside. */
const wholeMap = (user: OrdinaryUser) => [`0 ${user.id} 1`, "1 500000 65536"];

rootless("newuidmap and newgidmap map subordinate ids", async (user) => {
  known(user);
  const { code, stdout, stderr } = await user.container((config) => {
    mapRange(config, user);
    config.process.user = { uid: 1000, gid: 1001, additionalGids: [7, 8] };
    shell(`id -u; id -g; busybox id -G; ${MAPS}`)(config);
  });
  assertEquals({ code, stdout: lines(stdout) }, {
    code: 0,
    stdout: ["1000", "1001", "1001 7 8", ...wholeMap(user), ...wholeMap(user), "allow"],
  }, stderr);
}, { ignore: PEER === "runc" }); // it refuses further groups

rootless("newuidmap is run for a caller in a directory of somebody else", async (user) => {
  known(user);
  const cwd = Deno.makeTempDirSync({ prefix: "runts-cwd-" }); // for root alone
  try {
    const output = await user.container((config) => {
      mapRange(config, user);
      shell("id -u")(config);
    }, { cwd });
    assertEquals(output, { code: 0, stdout: "0\n", stderr: "" });
  } finally {
    Deno.removeSync(cwd);
  }
}, OURS);

rootless("newuidmap is waited for although the caller ignores or blocks SIGCHLD", async (user) => {
  known(user);
  for (const caller of ["--ignore-signal=CHLD", "--block-signal=CHLD"]) {
    using bundle = await user.bundle((config) => {
      mapRange(config, user);
      shell("id -u")(config);
    });
    const line = ["env", caller, user.runtime, "run", "--bundle", bundle.path, user.name()];
    assertEquals(await user.command(line), { code: 0, stdout: "0\n", stderr: "" }, caller);
  }
}, OURS);

rootless("with subordinate ids, terminals have their group and files many owners", async (user) => {
  known(user);
  using bundle = await user.bundle((config) => {
    mapRange(config, user);
    config.root.readonly = false;
    config.mounts.find((one: Config) => one.type === "devpts").options.push("gid=5");
    config.process.terminal = true;
    const all = ["CAP_CHOWN", "CAP_FOWNER"];
    config.process.capabilities = { bounding: all, effective: all, permitted: all };
    shell("busybox stat -c %g $(tty); : > /file; busybox chown 33:34 /file")(config);
  });
  const { code, stdout } = await onTerminal(user, bundle);
  assertEquals({ code, stdout: lines(stdout).at(-1) }, {
    code: 0,
    stdout: "5",
  });
  const { uid, gid } = Deno.statSync(`${bundle.rootfs}/file`);
  assertEquals({ uid, gid }, { uid: 500032, gid: 500033 });
});

rootless("a further process has the groups that it asks for", async (user) => {
  known(user);
  const edit = (config: Config) => {
    mapRange(config, user);
    shell(WAIT)(config);
  };
  await withDetached(user, edit, async (name) => {
    const inside = await user.run(["exec", "--user", "5:6", name, "busybox", "id", "-G"]);
    assertEquals([inside.code, inside.stdout], [0, "6\n"], inside.stderr);
  });
});

/** As `crun spec --rootless` leaves it. */
function withoutMaps(config: Config): void {
  delete config.linux.uidMappings;
  delete config.linux.gidMappings;
}

/** A container that is given no maps has these, as {@linkcode MAPS} shows them. */
async function assertMaps(
  user: OrdinaryUser,
  expected: readonly string[],
  options: CommandOptions = {},
): Promise<void> {
  const { code, stdout } = await user.container((config) => {
    withoutMaps(config);
    shell(MAPS)(config);
  }, options);
  assertEquals({ code, stdout: lines(stdout) }, { code: 0, stdout: [...expected] });
}

rootless("without maps in the configuration the subordinate ids are mapped", async (user) => {
  known(user);
  await assertMaps(user, [...wholeMap(user), ...wholeMap(user), "allow"]);
}, { ignore: PEER === "runc" }); // it refuses such a configuration

rootless("subordinate ids may be given to the number of a user", async (user) => {
  known(user, `# by number\n${user.id}:500000:65536\n`);
  await assertMaps(user, [...wholeMap(user), ...wholeMap(user), "allow"]);
}, OURS); // crun 1.8 looks for the name alone

rootless(
  "without maps in the configuration the caller becomes the user of the process",
  async (user) => {
    known(user);
    const { code, stdout } = await user.container((config) => {
      withoutMaps(config);
      config.process.user = { uid: 1000, gid: 100 };
      shell(`id -u; id -g; ${MAPS}`)(config);
    });
    assertEquals({ code, stdout: lines(stdout) }, {
      code: 0,
      stdout: [
        ...["1000", "100", "0 500000 1000", `1000 ${user.id} 1`, "1001 501000 64536"],
        ...["0 500000 100", `100 ${user.id} 1`, "101 500100 65436", "allow"],
      ],
    });
  },
  { ignore: PEER === "runc" },
);

/** Maps the caller to a user that is not root; nobody else is there. */
function withoutRoot(config: Config, user: OrdinaryUser): void {
  config.linux.uidMappings = [{ containerID: 1000, hostID: user.id, size: 1 }];
  config.linux.gidMappings = [{ containerID: 100, hostID: user.id, size: 1 }];
  config.process.user = { uid: 1000, gid: 100 };
}

const WITHOUT_ROOT = (user: OrdinaryUser) => [
  ...["uid=1000 gid=100", `1000 ${user.id} 1`, `100 ${user.id} 1`, "deny", "1000:100"],
];

const SHOW = `busybox id; ${MAPS}; busybox stat -c %u:%g /dev`;

rootless("a map need not have root", async (user) => {
  const { code, stdout } = await user.container((config) => {
    withoutRoot(config, user);
    shell(SHOW)(config);
  });
  assertEquals({ code, stdout: lines(stdout) }, { code: 0, stdout: WITHOUT_ROOT(user) });
}, { ignore: PEER === "runc" }); // runc 1.1 demands root

rootless("a further process need not have root", async (user) => {
  const edit = (config: Config) => {
    withoutRoot(config, user);
    shell(WAIT)(config);
  };
  await withDetached(user, edit, async (name) => {
    const inside = await user.run(["exec", name, "sh", "-c", SHOW]);
    const other = await user.run(["exec", "--user", "0", name, "true"]);
    assertEquals(lines(inside.stdout), WITHOUT_ROOT(user));
    assertEquals(other, {
      code: 255,
      stdout: "",
      stderr: `runts: exec "${name}": process.user: set uid 0: EINVAL (invalid argument): ` +
        "the user namespace must map uid 0, gid 100\n",
    });
  });
}, OURS); // exec of crun 1.8 demands root

rootless("without maps, a user that is not root can be the caller, too", async (user) => {
  const edit = (config: Config) => {
    withoutMaps(config);
    config.process.user = { uid: 1000, gid: 100 };
    shell(WAIT)(config);
  };
  await withDetached(user, edit, async (name) => {
    const { stdout } = await user.run(["exec", name, "sh", "-c", `busybox id; ${MAPS}`]);
    assertEquals(lines(stdout), [
      ...["uid=1000 gid=100", `1000 ${user.id} 1`, `100 ${user.id} 1`, "deny"],
    ]);
  });
}, OURS);

rootless("without maps and without newuidmap the caller alone is mapped", async (user) => {
  known(user);
  const own = `0 ${user.id} 1`;
  await assertMaps(user, [own, own, "deny"], { env: { PATH: "/nonexistent" } });
}, OURS);

refused(
  "a range of a user that is not in /etc/passwd",
  (config, user) => mapRange(config, user),
  (user) =>
    `linux.uidMappings: newuidmap refuses to map 0 ${user.id} 1 1 500000 65536: ` +
    `"Cannot determine your user name.": ` +
    `uid ${user.id} has no entry in /etc/passwd, which newuidmap needs`,
);
refused(
  "a range without an entry in /etc/subuid",
  (config, user) => mapRange(config, user),
  (user) =>
    `linux.uidMappings: newuidmap refuses to map 0 ${user.id} 1 1 500000 65536: ` +
    `"uid range [1-65537) -> [500000-565536) not allowed": ` +
    '/etc/subuid has no entry for "tester"',
  { prepare: (user) => known(user, "") },
);
refused(
  "a range that is larger than that in /etc/subuid",
  (config, user) => mapRange(config, user, 500000, 1001),
  (user) =>
    `linux.uidMappings: newuidmap refuses to map 0 ${user.id} 1 1 500000 1001: ` +
    `"uid range [1-1002) -> [500000-501001) not allowed": ` +
    '/etc/subuid allows "tester" only 500000 to 500999',
  { prepare: (user) => known(user, "tester:500000:1000\n") },
);
refused(
  "a range without newuidmap",
  (config, user) => mapRange(config, user),
  "linux.uidMappings: run newuidmap: ENOENT (no such file or directory): " +
    "more than one id can be mapped only with the uidmap package, or as root",
  { prepare: (user) => known(user), env: { PATH: "/nonexistent" } },
);
refused(
  "a range without an entry in /etc/subgid",
  (config, user) => mapRange(config, user),
  (user) =>
    `linux.gidMappings: newgidmap refuses to map 0 ${user.id} 1 1 500000 65536: ` +
    `"gid range [1-65537) -> [500000-565536) not allowed": ` +
    '/etc/subgid has no entry for "tester"',
  { prepare: (user) => known(user, "tester:500000:65536\n", "") },
);
refused(
  "a newuidmap without rights",
  (config, user) => mapRange(config, user),
  (user) =>
    `linux.uidMappings: newuidmap refuses to map 0 ${user.id} 1 1 500000 65536: ` +
    `"write to uid_map failed: Operation not permitted": ` +
    "newuidmap must be set-user-ID root, or have the capabilities of its file",
  {
    prepare: (user) => {
      known(user);
      Deno.copyFileSync("/usr/bin/newuidmap", `${user.directory}/bin/newuidmap`);
      Deno.chmodSync(`${user.directory}/bin/newuidmap`, 0o755);
    },
  },
);
