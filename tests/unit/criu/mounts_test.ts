import { assertEquals, assertThrows } from "@std/assert";
import { mountsToName, mountsToPlace, resolveIn } from "../../../lib/criu/mounts.ts";
import type { Spec } from "../../../lib/spec/types/config.ts";

/** A root filesystem with these symlinks. */
function withLinks(links: Record<string, string>, body: (root: string) => void): void {
  const root = Deno.makeTempDirSync({ prefix: "runts-test-" });
  try {
    for (const [path, target] of Object.entries(links)) {
      Deno.mkdirSync(`${root}${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.symlinkSync(target, `${root}${path}`);
    }
    body(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("symlinks lead to where they do inside", () => {
  const links = { "/var/run": "/run", "/run/up": "../..", "/a/b": "c", "/round": "round" };
  withLinks(links, (root) => {
    assertEquals(resolveIn(root, "/var/run/x"), "/run/x");
    assertEquals(resolveIn(root, "/run/up/etc"), "/etc");
    assertEquals(resolveIn(root, "a//b/./d"), "/a/c/d");
    assertEquals(resolveIn(root, "/missing/../etc"), "/etc");
    assertEquals(resolveIn(root, "/"), "/");
    assertEquals(resolveIn(root, "/round/x"), "/round/x");
  });
});

function places(
  mounts: Spec["mounts"],
  hierarchies: readonly [string, string, string][],
  rootfs = "/nowhere",
) {
  const cgroups = () =>
    hierarchies.map(([mountPoint, controller, directory]) => ({
      mountPoint,
      controllers: controller === "" ? [] : [controller],
      directory,
    }));
  const place = mountsToPlace({
    spec: { ociVersion: "1.0.0", root: { path: "rootfs" }, mounts: mounts ?? [] },
    bundle: "/b",
    rootfs,
    host: {
      euid: 0,
      inUserNamespace: false,
      cgroups,
      mountsBelow: (path) => path === "/data" ? [{ path: "/data/disk", options: "rw" }] : [],
    },
    notifyDirectory: "/state/notify",
  });
  return Object.fromEntries(place.map(({ key, value }) => [key, value]));
}

Deno.test("bind mounts have the sources of the bundle, and what the host has below them", () => {
  const place = places([
    { destination: "/one", source: "sub", options: ["bind"] },
    { destination: "/two/", type: "bind", source: "/data", options: ["rbind"] },
    { destination: "/tmp", type: "tmpfs" },
  ], []);
  assertEquals(place["/one"], "/b/sub");
  assertEquals(place["/two"], "/data");
  assertEquals(place["/two/disk"], "/data/disk");
  assertEquals(place["/tmp"], undefined);
  assertEquals(place["/run/notify"], "/state/notify");
  assertEquals(place["/dev/null"], "/dev/null");
});

Deno.test("cgroups are those of the container that is restored", () => {
  const mount = { destination: "/sys/fs/cgroup", type: "cgroup" };
  const hybrid: [string, string, string][] = [
    ["/sys/fs/cgroup/pids", "pids", "/sys/fs/cgroup/pids/new"],
    ["/sys/fs/cgroup/unified", "", "/sys/fs/cgroup/unified/new"],
  ];
  const both = places([mount], hybrid);
  assertEquals(both["/sys/fs/cgroup/pids"], "/sys/fs/cgroup/pids/new");
  assertEquals(both["/sys/fs/cgroup/unified"], "/sys/fs/cgroup/unified/new");
  const second = places([{ destination: "/c", type: "cgroup2" }], hybrid);
  assertEquals(second["/c"], "/sys/fs/cgroup/unified/new");
  const alone = places([mount], [["/sys/fs/cgroup", "", "/sys/fs/cgroup/new"]]);
  assertEquals(alone["/sys/fs/cgroup"], "/sys/fs/cgroup");
});

Deno.test("a mount point that criu would read as another one's is refused, wherever it comes from", () => {
  const message = (path: string) =>
    `name "${path}" to criu: a mount point may not contain "]:": symlinks of the image may have led there`;
  const mount = { destination: "/srv/data", source: "/data", options: ["bind"] };
  withLinks({ "/srv": "/a]:/etc", "/dev": "/a]:/dev" }, (root) => {
    assertThrows(() => places([mount], [], root), Error, message("/a]:/etc/data"));
    assertThrows(() => places([], [], root), Error, message("/a]:/dev/null"));
  });
  assertEquals(places([{ ...mount, destination: "/a]b" }], [])["/a]b"], "/data");
  const named = { ...mount, destination: "/a]:/b" };
  assertThrows(() => places([named], []), Error, message("/a]:/b"));
  const spec = { ociVersion: "1.0.0", root: { path: "rootfs" }, mounts: [named] };
  assertThrows(() => mountsToName(spec, Deno.pid), Error, message("/a]:/b"));
});
