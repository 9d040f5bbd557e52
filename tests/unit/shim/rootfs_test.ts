/** Options of mounts. */

import { assertEquals } from "@std/assert";
import { shortened } from "../../../lib/shim/rootfs.ts";

const LONG = "x".repeat(100);
const layers = (directory: string) =>
  Array.from({ length: 45 }, (_, n) => `${directory}/${LONG.slice(10)}${n}/fs`);

Deno.test("options that fit are what they are", () => {
  for (const data of ["", "ro,size=1k", "lowerdir=/a/b:/a/c,upperdir=/u"]) {
    assertEquals(shortened(data), { data });
  }
});

Deno.test("the layers of long ones are named from the directory on that has them all", () => {
  const named = layers("/var/lib/snapshots");
  const data = `index=off,lowerdir=${named.join(":")},userxattr`;
  assertEquals(shortened(data), {
    data: `index=off,lowerdir=${
      named.map((path) => path.slice("/var/lib/snapshots/".length)).join(":")
    },userxattr`,
    directory: "/var/lib/snapshots",
  });
});

Deno.test("layers that have nothing in common are named from the root on", () => {
  const named = [...layers("/var/lib/snapshots"), "/other/fs"];
  assertEquals(shortened(`lowerdir=${named.join(":")}`), {
    data: `lowerdir=${named.map((path) => path.slice(1)).join(":")}`,
    directory: "/",
  });
});

Deno.test("what is long for another reason stays as it is", () => {
  const data = `context=${LONG.repeat(50)}`;
  assertEquals(shortened(data), { data });
});
