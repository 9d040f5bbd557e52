import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { parseHost } from "../../../lib/cgroup/hierarchies.ts";
import {
  containerPaths,
  pathsBelowMounts,
  recordedPaths,
  recordPath,
} from "../../../lib/cgroup/location.ts";

const V2 = "30 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const V1 = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/memory rw shared:4 master:2 - cgroup cgroup rw,xattr,memory
34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
35 31 0:30 / /mnt/again/memory rw - cgroup cgroup rw,memory
`;
const UNIFIED = "36 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
const OWN = "4:cpu,cpuacct:/\n3:memory:/user/a:b\n2:name=systemd:/user\n0::/user\n";

Deno.test("parseHost tells v1, hybrid and v2 apart", () => {
  assertEquals(parseHost(V1, OWN).mode, "v1");
  assertEquals(parseHost(V1 + UNIFIED, OWN).mode, "hybrid");
  assertEquals(parseHost(V2, "0::/\n").mode, "v2");
});

Deno.test("parseHost lists co-mounted controllers one by one, and no mount options", () => {
  assertEquals(parseHost(V1 + UNIFIED, OWN).hierarchies, [
    { controller: "cpu", mountPoint: "/sys/fs/cgroup/cpu,cpuacct", own: "" },
    { controller: "cpuacct", mountPoint: "/sys/fs/cgroup/cpu,cpuacct", own: "" },
    { controller: "memory", mountPoint: "/sys/fs/cgroup/memory", own: "/user/a:b" },
    { controller: "name=systemd", mountPoint: "/sys/fs/cgroup/systemd", own: "/user" },
    { controller: "", mountPoint: "/sys/fs/cgroup/unified", own: "/user" },
  ]);
});

Deno.test("parseHost prefers the usual mount point and unescapes it", () => {
  const odd = "40 31 0:30 / /mnt/my\\040groups rw - cgroup cgroup rw,memory\n";
  assertEquals(parseHost(odd + V1, OWN).hierarchies[0]?.mountPoint, "/sys/fs/cgroup/memory");
  assertEquals(parseHost(odd, OWN).hierarchies[0]?.mountPoint, "/mnt/my groups");
});

Deno.test("parseHost takes a bind-mounted part of a hierarchy as its root", () => {
  const line = "33 31 0:30 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  assertEquals(parseHost(line, "3:memory:/docker/1\n").hierarchies[0]?.own, "");
  assertEquals(parseHost(line, "3:memory:/docker/1/sub\n").hierarchies[0]?.own, "/sub");
});

Deno.test("parseHost refuses a host without cgroups", () => {
  assertThrows(
    () => parseHost("23 1 0:5 / / rw - ext4 /dev/vda rw\n", ""),
    Error,
    "find the cgroup file system: none is mounted: mount cgroup2 on /sys/fs/cgroup, " +
      "or use --cgroup-manager=disabled",
  );
});

Deno.test("containerPaths: absolute below the mount points, relative below the own cgroup", () => {
  const host = parseHost(V1 + UNIFIED, OWN);
  assertEquals(containerPaths(host, "web", "/pods/1")["memory"], "/sys/fs/cgroup/memory/pods/1");
  assertEquals(containerPaths(host, "web", "/pods/1")[""], "/sys/fs/cgroup/unified/pods/1");
  const relative = containerPaths(host, "web", "pods/1");
  assertEquals(relative["memory"], "/sys/fs/cgroup/memory/user/a:b/pods/1");
  assertEquals(relative["cpu"], "/sys/fs/cgroup/cpu,cpuacct/pods/1");
  const unset = containerPaths(host, "web", undefined);
  assertEquals(unset["memory"], "/sys/fs/cgroup/memory/user/a:b/web");
  assertEquals(unset[""], "/sys/fs/cgroup/unified/user/web");
});

Deno.test("containerPaths on v2: relative paths are beside the own cgroup, which has processes", () => {
  const host = parseHost(V2, "0::/user.slice/session-1.scope\n");
  assertEquals(containerPaths(host, "web", undefined), { "": "/sys/fs/cgroup/user.slice/web" });
  assertEquals(containerPaths(host, "web", "a/b"), { "": "/sys/fs/cgroup/user.slice/a/b" });
  assertEquals(containerPaths(parseHost(V2, "0::/\n"), "web", undefined), {
    "": "/sys/fs/cgroup/web",
  });
});

Deno.test("containerPaths never leads above a hierarchy and refuses its root", () => {
  const host = parseHost(V2, "0::/\n");
  assertEquals(containerPaths(host, "web", "/a/../../b/./c//")[""], "/sys/fs/cgroup/b/c");
  for (const path of ["/", "/..", "/a/.."]) {
    assertThrows(
      () => containerPaths(host, "web", path),
      Error,
      `linux.cgroupsPath: use cgroup "${path}": it is the root of the hierarchy, ` +
        "which no container can have",
    );
  }
});

Deno.test("recordPath and pathsBelowMounts are each other's inverse", () => {
  const host = parseHost(V1 + UNIFIED, OWN);
  const paths = containerPaths(host, "web", "/pods/1");
  assertEquals(recordPath(host, paths), "/pods/1");
  assertEquals(pathsBelowMounts(host, "/pods/1"), paths);
});

Deno.test("recordedPaths refuses what can be no container's cgroup", () => {
  const host = parseHost(V1, OWN);
  const memory = "/sys/fs/cgroup/memory";
  for (const sound of [`${memory}/c`, `${memory}/user/a:b/c`, `${memory}/user/a`]) {
    assertEquals(recordedPaths(host, { memory: sound }), { memory: sound });
  }
  assertEquals(recordedPaths(host, { "": "/sys/fs/cgroup/unified/c" }), {});
  const places = ["", "/", "/tmp", memory, `${memory}/`, `${memory}//c`, `${memory}x/c`];
  for (const place of [...places, `${memory}/../cpu/c`, `${memory}/c/..`, `${memory}/./c`]) {
    assertThrows(
      () => recordedPaths(host, { memory: place }),
      RuntsError,
      `use recorded cgroup "${place}": it is no cgroup below "${memory}"`,
    );
  }
  for (const place of [`${memory}/user`, `${memory}/user/a:b`]) {
    assertThrows(
      () => recordedPaths(host, { memory: place }),
      RuntsError,
      `use recorded cgroup "${place}": runts itself is in it`,
    );
  }
});
