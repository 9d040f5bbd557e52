import { assertEquals } from "@std/assert";
import { names, opsOf, planOf } from "../../support/plan.ts";

const tmpfs = (options: string[], destination: string) => ({
  destination,
  type: "tmpfs",
  source: "tmpfs",
  options,
});

Deno.test("mounts: propagation options are set again after the root's, if that is recursive", () => {
  const [shared, priv, recursive] = [1 << 20, 1 << 18, 1 << 14];
  const of = (rootfsPropagation: string) => {
    const mounts = [
      tmpfs([], "/a"),
      tmpfs(["private"], "/b"),
      tmpfs(["rprivate"], "/c"),
      tmpfs([], "/c/d"),
      { destination: "/c/d", options: ["remount", "bind", "ro"] },
    ];
    const plan = planOf({ mounts, "linux.rootfsPropagation": rootfsPropagation });
    const order = names(plan);
    const again = opsOf(plan, "mount_propagation");
    assertEquals(
      again.length === 0 ||
        order.indexOf("mount_propagation") > order.lastIndexOf("propagation"),
      true,
    );
    return [again, opsOf(plan, "mount").map(({ keep }) => keep)];
  };
  const again = (index: number, slot: number, ...propagation: number[]) => ({
    op: "mount_propagation" as const,
    from: `mounts[${index}]`,
    slot,
    propagation,
  });
  assertEquals(of("rshared"), [
    [
      again(1, 1024, priv),
      again(2, 1025, priv | recursive),
      again(3, 1026, shared | recursive),
    ],
    [-1, 1024, 1025, 1026, -1],
  ]);
  assertEquals(of("shared"), [[], [-1, -1, -1, -1, -1]]);
  assertEquals(of("rslave"), [[], [-1, -1, -1, -1, -1]]);
});
