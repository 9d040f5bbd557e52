/** Subordinate ids, default id maps, and what a host forbids. */

import { assertEquals } from "@std/assert";
import { withDefaultMaps } from "../../../lib/userns/default_maps.ts";
import { rangesOf, userName } from "../../../lib/userns/subordinate_ids.ts";
import { explainRefusal, whyRefused } from "../../../lib/userns/policy.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import type { Op } from "../../../lib/wire/ops.ts";
import type { Spec } from "../../../lib/spec/types/config.ts";

Deno.test("a user is found by the third field of /etc/passwd", () => {
  const passwd =
    "root:x:0:0:root:/root:/bin/sh\n1000:x:7:7::/:/bin/sh\nweb:x:1000:100::/:/bin/sh\n";
  assertEquals(userName(1000, passwd), "web");
  assertEquals(userName(100, passwd), undefined);
  assertEquals(userName(1000, ""), undefined);
});

Deno.test("ranges belong to a name or to a number", () => {
  const text = "# web:1:1\nother:1:2\nweb:100000:65536\n1000:200000:10\n\nweb::5\nweb:7:0\nweb:8\n";
  assertEquals(rangesOf(text, 1000, "web"), [
    { start: 100000, count: 65536 },
    { start: 200000, count: 10 },
  ]);
  assertEquals(rangesOf(text, 1000, undefined), [{ start: 200000, count: 10 }]);
  assertEquals(rangesOf(text, 1, undefined), []);
  assertEquals(rangesOf("\n:5:5\n", 1000, undefined), []);
  for (
    const range of ["0x10:9", "1e3:9", " 7:9", "-7:9", "7: 9", "7:1e2", "7.5:9", "7:99999999999"]
  ) {
    assertEquals(rangesOf(`1000:${range}\n`, 1000, undefined), [], range);
  }
});

/** The map of user ids as text, for a process that runs as `uid`. */
function mapOf(uid: number, ...ranges: [start: number, count: number][]): string[] {
  const spec = {
    ociVersion: "1.3.0",
    root: { path: "rootfs" },
    process: { user: { uid, gid: uid }, args: ["sh"], cwd: "/" },
  } as Spec;
  const uids = ranges.map(([start, count]) => ({ start, count }));
  const { linux } = withDefaultMaps(spec, { uid: 1000, gid: 1000, uids, gids: uids });
  assertEquals(linux?.gidMappings, linux?.uidMappings);
  return linux!.uidMappings!.map((map) => `${map.containerID} ${map.hostID} ${map.size}`);
}

Deno.test("without subordinate ids the caller alone is mapped", () => {
  assertEquals(mapOf(0), ["0 1000 1"]);
  assertEquals(mapOf(33), ["33 1000 1"]);
});

Deno.test("subordinate ids surround that of the process", () => {
  assertEquals(mapOf(0, [5000, 100]), ["0 1000 1", "1 5000 100"]);
  assertEquals(mapOf(33, [5000, 100]), ["0 5000 33", "33 1000 1", "34 5033 67"]);
  assertEquals(mapOf(100, [5000, 100]), ["0 5000 100", "100 1000 1"]);
  assertEquals(mapOf(500, [5000, 100]), ["0 5000 100", "500 1000 1"]);
});

Deno.test("several ranges follow each other", () => {
  assertEquals(mapOf(15, [5000, 10], [7000, 10], [9000, 10]), [
    "0 5000 10",
    "10 7000 5",
    "15 1000 1",
    "16 7005 5",
    "21 9000 10",
  ]);
  assertEquals(mapOf(10, [5000, 10], [7000, 10]), ["0 5000 10", "10 1000 1", "11 7000 10"]);
});

Deno.test("ranges of one kind alone are not used", () => {
  const spec = { ociVersion: "1.3.0", root: { path: "rootfs" } } as Spec;
  const uids = [{ start: 5000, count: 10 }];
  const { linux } = withDefaultMaps(spec, { uid: 1000, gid: 100, uids, gids: [] });
  assertEquals(linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assertEquals(linux?.gidMappings, [{ containerID: 0, hostID: 100, size: 1 }]);
});

/** A directory that stands for /proc/sys. */
async function withSysctls(
  values: Record<string, string>,
  body: (directory: string) => void,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "runts-sysctl-" });
  try {
    for (const name of ["user", "kernel"]) await Deno.mkdir(`${directory}/${name}`);
    for (const [name, value] of Object.entries(values)) {
      await Deno.writeTextFile(`${directory}/${name}`, `${value}\n`);
    }
    body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const APPARMOR = "AppArmor restricts user namespaces " +
  "(kernel.apparmor_restrict_unprivileged_userns is 1): give runts a profile with userns";

Deno.test("the policy that refuses user namespaces is named", async () => {
  const cases: [Record<string, string>, string | undefined][] = [
    [{}, undefined],
    [{ "user/max_user_namespaces": "100" }, undefined],
    [{ "user/max_user_namespaces": "0" }, "user.max_user_namespaces is 0"],
    [{ "kernel/unprivileged_userns_clone": "0" }, "kernel.unprivileged_userns_clone is 0"],
    [{ "kernel/apparmor_restrict_unprivileged_userns": "0" }, undefined],
    [{ "kernel/apparmor_restrict_unprivileged_userns": "1" }, APPARMOR],
  ];
  for (const [values, reason] of cases) {
    await withSysctls(values, (directory) => assertEquals(whyRefused(directory), reason));
  }
});

const CLONE = { op: "clone", from: "linux.namespaces", flags: 0x10000000, cgroup: -1 } as const;
const OPS: Op[] = [CLONE, { op: "hostname", from: "hostname", name: "web" }];

/** The message of an operation that failed with an error number. */
function explained(directory: string, failed: number, errno: number, hint?: string): string {
  return explainRefusal(new RuntsError("try", { errno, hint }), failed, OPS, directory).message;
}

Deno.test("AppArmor is named where it takes the rights away, too", async () => {
  await withSysctls({ "kernel/apparmor_restrict_unprivileged_userns": "1" }, (directory) => {
    const denied = "try: EACCES (permission denied)";
    assertEquals(explained(directory, 0, 13, "in general"), `${denied}: ${APPARMOR}`);
    assertEquals(explained(directory, 1, 13), `${denied}: ${APPARMOR}`);
    assertEquals(explained(directory, 1, 13, "known"), `${denied}: known`);
    assertEquals(explained(directory, 1, 2), "try: ENOENT (no such file or directory)");
  });
});

Deno.test("a limit is named where the namespace is refused, not elsewhere", async () => {
  await withSysctls({ "user/max_user_namespaces": "0" }, (directory) => {
    const full = "try: ENOSPC (no space left on device)";
    assertEquals(explained(directory, 0, 28, "a limit"), `${full}: user.max_user_namespaces is 0`);
    assertEquals(explained(directory, 1, 1), "try: EPERM (operation not permitted)");
  });
});

Deno.test("a container without a user namespace is not told of these policies", async () => {
  await withSysctls({ "user/max_user_namespaces": "0" }, (directory) => {
    const error = new RuntsError("try", { errno: 1 });
    assertEquals(explainRefusal(error, 0, [{ ...CLONE, flags: 0x20000 }], directory), error);
  });
});
