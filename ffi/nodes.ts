/** Files and device nodes below a root that somebody else may change: no symlink leads out of it. */

import { quote } from "../lib/base/errors.ts";
import { check, cString } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/node.h states it. */
export const NODE_SYMBOLS = {
  // int32_t rts_open_below(const char *root, const char *path, int32_t flags);
  rts_open_below: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  // int32_t rts_node_make(const char *root, const char *path, uint32_t mode, uint64_t device);
  rts_node_make: { parameters: ["buffer", "buffer", "u32", "u64"], result: "i32" },
  // int32_t rts_node_remove(const char *root, const char *path, uint32_t mode, uint64_t device);
  rts_node_remove: { parameters: ["buffer", "buffer", "u32", "u64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** A node, as stat(2) has it. */
export interface Node {
  /** Kind and permissions. */
  readonly mode: number;
  readonly device: number;
}

/** Opens what is at a path, open(2) with O_CLOEXEC. Loads no helper by itself. */
export function openBelow(root: string, path: string, flags: number): number {
  const functions = furtherFunctions(NODE_SYMBOLS);
  const result = functions.rts_open_below(cString(root), cString(path), flags);
  return check(result, () => `open ${quote(path)} in the container`);
}

/** Makes a node, with the directories that it needs. Loads no helper by itself. */
export function makeNode(root: string, path: string, { mode, device }: Node): void {
  const functions = furtherFunctions(NODE_SYMBOLS);
  const result = functions.rts_node_make(cString(root), cString(path), mode, BigInt(device));
  check(result, () => `make device ${quote(path)} in the container`);
}

/** Removes it; ENODEV for what is no node of this device. Loads no helper by itself. */
export function removeNode(root: string, path: string, { mode, device }: Node): void {
  const functions = furtherFunctions(NODE_SYMBOLS);
  const result = functions.rts_node_remove(cString(root), cString(path), mode, BigInt(device));
  check(result, () => `remove device ${quote(path)} in the container`);
}
