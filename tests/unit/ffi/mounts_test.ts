/** The signatures in ffi/mounts.ts against c/helper/mount.h, and what the call says. */

import { assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { detachMount, MOUNT_SYMBOLS, refusedOption } from "../../../ffi/mounts.ts";
import { EINVAL, ENODEV } from "../../../lib/base/errno.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

Deno.test("every prototype is that of the header", () => {
  assertPrototypes(Object.keys(MOUNT_SYMBOLS), "mount.h", "mounts.ts");
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

const NOT_ROOT = { ignore: Deno.uid() !== 0 };

Deno.test("filesystems are asked what they take", NOT_ROOT, async () => {
  await loadHelper();
  for (const option of ["size=64k", "mode=755", "ro"]) {
    assertEquals(refusedOption("tmpfs", option), undefined);
  }
  assertEquals(refusedOption("tmpfs", "sise=1"), {
    errno: EINVAL,
    said: "tmpfs: Unknown parameter 'sise'",
  });
  assertEquals(refusedOption("tmpfs", "size=x"), {
    errno: EINVAL,
    said: "tmpfs: Bad value for 'size'",
  });
  assertEquals(refusedOption("nosuchfs", "size=1"), { errno: ENODEV, said: "" });
});
