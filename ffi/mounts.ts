/** Mounts of the caller's mount namespace: what few commands need of the helper library. */

import { quote } from "../lib/base/errors.ts";
import { check, cString } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/mount.h states it. */
export const MOUNT_SYMBOLS = {
  // int32_t rts_detach(const char *path);
  rts_detach: { parameters: ["buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Takes the topmost mount at the path away (umount(2), MNT_DETACH). Loads no helper by itself. */
export function detachMount(path: string): void {
  check(furtherFunctions(MOUNT_SYMBOLS).rts_detach(cString(path)), () => `unmount ${quote(path)}`);
}
