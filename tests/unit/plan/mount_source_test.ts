import { assertEquals } from "@std/assert";
import type { Mount } from "../../../lib/spec/types/config.ts";
import { linesFrom, names, opsOf, planOf } from "../../support/plan.ts";
import { withNamespaces } from "../../support/spec.ts";

const MAP = [{ containerID: 0, hostID: 100000, size: 1000 }];
const bind = (destination: string, source: string, ...options: string[]): Mount => ({
  destination,
  source,
  type: "none",
  options: ["bind", ...options],
});
const tmpfs = (destination: string): Mount => ({ destination, type: "tmpfs", source: "tmpfs" });

/** Where the source of the last mount is opened with its ids mapped, and whether on the host. */
function opened(mounts: readonly Mount[], user = true): [source: string, early: boolean] | "plain" {
  const plan = planOf({
    mounts,
    ...(user && {
      "linux.namespaces": withNamespaces("user"),
      "linux.uidMappings": MAP,
      "linux.gidMappings": MAP,
    }),
  });
  const op = opsOf(plan, "open_tree").findLast(({ from }) =>
    from === `mounts[${mounts.length - 1}]`
  );
  if (op === undefined) return "plain";
  return [op.source, plan.ops.indexOf(op) < names(plan).indexOf("clone")];
}

Deno.test("mounts: ids of a source in the root are mapped on the host in a user namespace", () => {
  const last = bind("/w", "rootfs/data/x", "idmap");
  assertEquals(opened([last]), ["/bundle/rootfs/data/x", true]);
  assertEquals(opened([tmpfs("/other"), tmpfs("/data/x/y"), last]), [
    "/bundle/rootfs/data/x",
    true,
  ]);
  assertEquals(opened([bind("/data", "/v"), last]), ["/v/x", true]);
  assertEquals(opened([bind("/a", "v"), bind("/data", "rootfs/a/b"), last]), [
    "/bundle/v/b/x",
    true,
  ]);
  assertEquals(opened([tmpfs("/data"), bind("/data", "/v"), last]), ["/v/x", true]);
  assertEquals(opened([bind("/data", "/v"), { ...tmpfs("/data"), options: ["remount"] }, last]), [
    "/v/x",
    true,
  ]);
  assertEquals(opened([bind("/", "/v"), last]), ["/v/data/x", true]);
});

Deno.test("mounts: a filesystem of the container's own has the ids of its user namespace", () => {
  const last = bind("/w", "rootfs/data/x", "idmap");
  assertEquals(opened([tmpfs("/data"), last]), "plain");
  assertEquals(opened([bind("/data", "/v"), tmpfs("/data/x"), last]), "plain");
  assertEquals(opened([tmpfs("/data"), { ...last, uidMappings: MAP, gidMappings: MAP }]), [
    "/bundle/rootfs/data/x",
    false,
  ]);
});

Deno.test("mounts: without a user namespace the source is opened in its turn", () => {
  const last = { ...bind("/w", "rootfs/data"), uidMappings: MAP, gidMappings: MAP };
  assertEquals(opened([last], false), ["/bundle/rootfs/data", false]);
});

Deno.test("mounts: what earlier mounts bring below a source is bound with it", () => {
  const options = ["rbind", "ro", "rnosuid", "private", "rslave"];
  const below = (idmap: string, ...earlier: Mount[]) => {
    const last = { ...bind("/w", "rootfs/data"), options: [...options, idmap] };
    const plan = planOf({
      mounts: [...earlier, last],
      "linux.namespaces": withNamespaces("user"),
      "linux.uidMappings": MAP,
      "linux.gidMappings": MAP,
    });
    return linesFrom(plan, `mounts[${earlier.length}]`)
      .filter((line) => line.startsWith("bind"));
  };
  const top = "bind /bundle/rootfs/data with the mounts below on /w (ro,rnosuid,private,rslave)";
  const other = (name: string) =>
    `bind /bundle/rootfs/data/${name} with the mounts below on /w/${name} (rnosuid,rslave)`;
  const mounts = [tmpfs("/data/a"), tmpfs("/data/a/b"), bind("/data/c", "/v"), tmpfs("/d")];
  assertEquals(below("idmap", ...mounts), [top, other("a"), other("c")]);
  assertEquals(below("ridmap", ...mounts), [top, other("a"), other("c")]);
  assertEquals(below("idmap", tmpfs("/data/a/b"), tmpfs("/data/a")), [top, other("a")]);
  assertEquals(below("idmap", tmpfs("/data/a"), bind("/data", "/v")), [top]);
});
