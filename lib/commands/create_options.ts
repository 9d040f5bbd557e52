/** What `create` and `run` have in common. */

import type { Argument, Options } from "../cli/types.ts";
import { BUNDLE, PROCESS_OPTIONS } from "./shared.ts";

/** The id of a container that is to be made. */
export const NEW_CONTAINER = {
  value: "CONTAINER",
  description: "id of the new container: letters, digits, + - . , _",
  complete: "none",
} as const satisfies Argument;

/** Options of `create` and `run`. */
export const CREATE_OPTIONS = {
  ...BUNDLE,
  config: {
    short: "f",
    value: "FILE",
    description: "the configuration (default: config.json of the bundle)",
    complete: "file",
  },
  ...PROCESS_OPTIONS,
  noPivot: { description: "do not use pivot_root, as a rootfs on a ramdisk needs" },
  noNewKeyring: { description: "keep the session keyring of the caller" },
  noSubreaper: { description: "orphans are not for runts to reap", hidden: true },
} as const satisfies Options;
