/** Parts of a container's life that need no container. */

import { assertEquals } from "@std/assert";
import { sizeText } from "../../../lib/lxc/life/facts.ts";
import { heldPaths } from "../../../lib/lxc/life/held.ts";
import { byRule, writableOps } from "../../../lib/plan/system_ops.ts";
import { mountOp } from "../../../lib/plan/mount_op.ts";
import type { SystemInput } from "../../../lib/plan/system.ts";
import { CreateKind, MountFlag } from "../../../lib/wire/ops.ts";

Deno.test("sizes are as LXC writes them", () => {
  const cases: [number, string][] = [
    [0, "0 bytes"],
    [1023, "1023 bytes"],
    [1024, "1.00 KiB"],
    [651264, "636.00 KiB"],
    [1.5 * 2 ** 30, "1.50 GiB"],
  ];
  for (const [bytes, text] of cases) assertEquals(sizeText(bytes), text);
});

Deno.test("held namespaces are where the monitor has them", () => {
  assertEquals(heldPaths({ net: 7, mnt: 5 }, 42), { net: "/proc/42/fd/7", mnt: "/proc/42/fd/5" });
  assertEquals(heldPaths(undefined, 42), {});
});

const SYSTEM: SystemInput = {
  populateDev: true,
  consolePaths: [],
  terminals: [],
  writable: [{ from: "beyond.writable[0]", path: "/sys/devices/virtual/net" }],
  reaper: false,
  parentDeath: 9,
  mounts: {
    "mounts[1]": { existing: true, optional: false },
    "mounts[2]": { existing: false, optional: true },
  },
  hooks: {},
};

Deno.test("mounts have the rules of the configuration, and what is opened again is not closed", () => {
  const mount = (index: number, destination: string) =>
    mountOp({
      from: `mounts[${index}]`,
      destination,
      superblock: ["ro"],
      create: CreateKind.directory,
    });
  const ops = byRule([mount(0, "/sys"), mount(1, "/mnt"), mount(2, "/srv")], SYSTEM);
  assertEquals(
    ops.map((op) => op.op === "mount" && [op.superblock, op.create, op.flags]),
    [
      [[], CreateKind.directory, 0],
      [["ro"], CreateKind.none, 0],
      [["ro"], CreateKind.directory, MountFlag.optional],
    ],
  );
  assertEquals(writableOps(SYSTEM).map((op) => op.op === "mount" && op.destination), [
    "/sys/devices/virtual/net",
  ]);
  assertEquals(writableOps(undefined), []);
});
