/** Mounts of the caller's mount namespace: what few commands need of the helper library. */

import { quote } from "../lib/base/errors.ts";
import { check, cString } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/mount.h states it. */
export const MOUNT_SYMBOLS = {
  // int32_t rts_detach(const char *path);
  rts_detach: { parameters: ["buffer"], result: "i32" },
  // int32_t rts_try_option(const char *type, const char *key, const char *value, char *said,
  //   uint32_t size);
  rts_try_option: { parameters: ["buffer", "buffer", "buffer", "buffer", "u32"], result: "i32" },
  // int32_t rts_overlay(const char *layers, const char *upper, const char *work);
  rts_overlay: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  // int32_t rts_mount(const char *source, const char *target, const char *type, uint64_t flags, const char *data);
  rts_mount: { parameters: ["buffer", "buffer", "buffer", "u64", "buffer"], result: "i32" },
  // int32_t rts_mount_from(const char *directory, const char *source, const char *target, const char *type, uint64_t flags, const char *data);
  rts_mount_from: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** mount(2). Loads no helper by itself. */
export function mount(
  { source, target, type, flags, data, directory }: {
    readonly source: string;
    readonly target: string;
    readonly type: string;
    readonly flags: number;
    readonly data: string;
    /** Where relative paths in the data begin; by default there are none. */
    readonly directory?: string;
  },
): void {
  const { rts_mount, rts_mount_from } = furtherFunctions(MOUNT_SYMBOLS);
  const [from, to, kind, text] = [source, target, type, data].map(cString);
  const result = directory === undefined
    ? rts_mount(from!, to!, kind!, BigInt(flags), text!)
    : rts_mount_from(cString(directory), from!, to!, kind!, BigInt(flags), text!);
  check(result, () => `mount ${quote(source)} on ${quote(target)}`);
}

/** Takes the topmost mount at the path away (umount(2), MNT_DETACH). Loads no helper by itself. */
export function detachMount(path: string): void {
  check(furtherFunctions(MOUNT_SYMBOLS).rts_detach(cString(path)), () => `unmount ${quote(path)}`);
}

/** Longest message of a filesystem that is of use. */
const SAID_MAX = 512;

/** What a filesystem of the kernel has against an option. */
export interface Refusal {
  readonly errno: number;
  /** In its own words; empty where it has none. */
  readonly said: string;
}

/**
 * Asks a filesystem about an option (`key` or `key=value`, fsconfig(2)); undefined where it takes it. ENODEV: there is
 * no such filesystem, EPERM: it may not be asked. Nothing is mounted.
 */
export function refusedOption(type: string, option: string): Refusal | undefined {
  const end = option.indexOf("=");
  const key = end < 0 ? option : option.slice(0, end);
  const value = end < 0 ? null : cString(option.slice(end + 1));
  const bytes = new Uint8Array(SAID_MAX);
  const library = furtherFunctions(MOUNT_SYMBOLS);
  const result = library.rts_try_option(cString(type), cString(key), value, bytes, SAID_MAX);
  if (result >= 0) return undefined;
  return { errno: -result, said: new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0))) };
}

/** Where what is changed in an overlay goes, and where the kernel works for it. */
interface Changes {
  readonly upper: string;
  readonly work: string;
}

/**
 * A descriptor of what layers of an overlay show together, mounted nowhere; the uppermost is the first. Without a
 * place for changes it is read-only. Loads no helper by itself.
 */
export function openMergedView(layers: readonly string[], changes?: Changes): number {
  const { rts_overlay } = furtherFunctions(MOUNT_SYMBOLS);
  const [upper, work] = [changes?.upper, changes?.work].map((path) =>
    path === undefined ? null : cString(path)
  );
  const result = rts_overlay(cString(layers.join(":")), upper!, work!);
  return check(result, () => `mount an overlay of ${layers.map((one) => quote(one)).join(", ")}`);
}
