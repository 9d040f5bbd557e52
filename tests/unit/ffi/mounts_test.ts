/** The signatures in ffi/mounts.ts against c/helper/mount.h, and what the call says. */

import { assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { detachMount, MOUNT_SYMBOLS } from "../../../ffi/mounts.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));

Deno.test("every prototype is that of the header", () => {
  const header = read("c/helper/mount.h").replace(/\s+/g, " ");
  const table = read("ffi/mounts.ts");
  for (const name of Object.keys(MOUNT_SYMBOLS)) {
    const prototype = new RegExp(`// (.*${name}\\(.*;)`).exec(table)?.[1] ?? "";
    assertEquals(header.includes(prototype) && prototype !== "", true, name);
  }
});

Deno.test("what is no mount is not taken away", async () => {
  await loadHelper();
  const directory = Deno.makeTempDirSync();
  try {
    assertThrows(
      () => detachMount(directory),
      RuntsError,
      `unmount "${directory}": ${
        Deno.uid() === 0 ? "EINVAL (invalid argument)" : "EPERM (operation not permitted)"
      }`,
    );
  } finally {
    Deno.removeSync(directory);
  }
});
