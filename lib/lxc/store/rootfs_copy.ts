/** Root filesystems of copies: a tree of their own, or an overlay on that of the container. */

import { openMergedView } from "../../../ffi/mounts.ts";
import { ownDescriptor } from "../../../ffi/own_descriptor.ts";
import { RuntsError } from "../../base/errors.ts";
import { isDirectory } from "../../base/files.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { dependsOn, type Placed } from "./dependents.ts";
import type { StoredFiles } from "./files.ts";
import type { Rootfs, Stored } from "./opened.ts";

/** What a copy has. */
export interface CopiedRootfs {
  /** `lxc.rootfs.path`; undefined where the container has none. */
  readonly path: string | undefined;
  /** Directory that is the copy's alone: the tree, or the changes of an overlay. */
  readonly own: string | undefined;
  /** That whose changes `own` has: the lower directories of an overlay, the uppermost first. */
  readonly lower: readonly string[];
  /** Whose root filesystems are used. */
  readonly uses: readonly Placed[];
}

/** What is copied, and how. */
interface RootfsCopy {
  readonly source: Stored;
  /** Of the copy. */
  readonly directory: string;
  /** An overlay whose lower directory is the container's; else data of its own. */
  readonly snapshot: boolean;
  /** An overlay stays one, with its lower directories. */
  readonly keepsKind: boolean;
}

/** Makes the root filesystem of a copy. */
export async function copyRootfs(
  runtime: LoadedRuntime,
  { source, directory, snapshot, keepsKind }: RootfsCopy,
  files: StoredFiles,
  signal?: AbortSignal,
): Promise<CopiedRootfs> {
  const { rootfs } = source;
  if (rootfs === undefined) return { path: undefined, own: undefined, lower: [], uses: [] };
  refuseKind(rootfs);
  if (rootfs.driver === "overlay" && (snapshot || keepsKind)) {
    return await copyOverlay(files, source, directory, snapshot, signal);
  }
  const place = `${directory}/rootfs`;
  if (snapshot) {
    await makeLike(files, source.directory, place);
    const own = await makeOverlay(files, directory, rootfs.parts[0]!);
    await makeLike(files, rootfs.parts[0]!, own);
    return {
      path: `overlay:${rootfs.parts[0]}:${own}`,
      own,
      lower: [rootfs.parts[0]!],
      uses: [placed(source)],
    };
  }
  await copyTree(runtime, files, rootfs, place, signal);
  return { path: `dir:${place}`, own: place, lower: [], uses: [] };
}

function refuseKind({ driver }: Rootfs): void {
  if (driver === "dir" || driver === "overlay") return;
  throw new RuntsError(`a root filesystem of the kind ${driver} cannot be copied`);
}

function placed({ lxcpath, name }: Placed): Placed {
  return { lxcpath, name };
}

/** The lower directories stay; the changes are copied. */
async function copyOverlay(
  files: StoredFiles,
  source: Stored,
  directory: string,
  snapshot: boolean,
  signal?: AbortSignal,
): Promise<CopiedRootfs> {
  const { parts } = source.rootfs!;
  const [lower, upper] = [parts.slice(0, -1), parts.at(-1)!];
  await makeLike(files, source.directory, `${directory}/rootfs`);
  const own = await makeOverlay(files, directory, lower[0]!);
  if (isDirectory(upper)) await files.do({ kind: "copy", from: upper, to: own }, signal);
  else await makeLike(files, lower[0]!, own);
  const uses = [...dependsOn(source), ...(snapshot ? [placed(source)] : [])];
  return { path: `overlay:${lower.join(":")}:${own}`, own, lower, uses };
}

/** Makes what an overlay has beside its changes; gives the directory of these, which is not there yet. */
async function makeOverlay(files: StoredFiles, directory: string, like: string): Promise<string> {
  await makeLike(files, like, `${directory}/overlay`);
  await makeLike(files, like, `${directory}/overlay/work`);
  return `${directory}/overlay/delta`;
}

/** An empty directory with the owner and the mode of another one. */
function makeLike(files: StoredFiles, like: string, path: string): Promise<void> {
  return files.do({ kind: "make", path, like });
}

/** What a container sees, with data of its own. */
async function copyTree(
  { helper }: LoadedRuntime,
  files: StoredFiles,
  { driver, parts }: Rootfs,
  to: string,
  signal?: AbortSignal,
): Promise<void> {
  if (driver !== "overlay") {
    return await files.do({ kind: "copy", from: parts[0]!, to }, signal);
  }
  // Nobody else sees the mount, and it is gone when this process is.
  const view = openMergedView([parts.at(-1)!, ...parts.slice(0, -1)]);
  try {
    await files.do({ kind: "copy", from: ownDescriptor(view), to }, signal);
  } finally {
    helper.close(view);
  }
}
