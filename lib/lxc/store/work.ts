/** Work on the files of containers, as plain data: another process may have to do it (files.ts). */

import { treeCalls } from "../../../ffi/tree.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { writeHostName } from "./hostname.ts";

/** One piece of work. */
export type Work =
  /** A directory is copied to where nothing is yet. */
  | { readonly kind: "copy"; readonly from: string; readonly to: string }
  /** A directory is removed, with all that is in it. */
  | { readonly kind: "remove"; readonly path: string }
  /** An empty directory is made, with the owner and the mode of another one. */
  | { readonly kind: "make"; readonly path: string; readonly like: string }
  /** A file gets the owner and the mode of another one. */
  | { readonly kind: "give"; readonly path: string; readonly like: string }
  | { readonly kind: "own"; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly kind: "move"; readonly from: string; readonly to: string }
  /** The root filesystem of a copy gets its host name. */
  | {
    readonly kind: "name";
    /** The directory that is the copy's alone, and those below it. */
    readonly own: string;
    readonly lower: readonly string[];
    readonly name: string;
  };

/** Does it. */
export async function perform(
  { helper }: Pick<LoadedRuntime, "helper">,
  work: Work,
  signal?: AbortSignal,
): Promise<void> {
  switch (work.kind) {
    case "copy":
      return await treeCalls(helper).copy(work.from, work.to, signal);
    case "remove":
      return await treeCalls(helper).remove(work.path, signal);
    case "name":
      return writeHostName(work, work.name);
    case "make":
      return attempt(`make ${quote(work.path)}`, () => {
        Deno.mkdirSync(work.path);
        giveLike(work.like, work.path);
      });
    case "give":
      return attempt(`change ${quote(work.path)}`, () => giveLike(work.like, work.path));
    case "own":
      return attempt(`change ${quote(work.path)}`, () => {
        Deno.chownSync(work.path, work.uid, work.gid);
      });
    case "move":
      return attempt(`rename ${quote(work.from)} to ${quote(work.to)}`, () => {
        Deno.renameSync(work.from, work.to);
      });
  }
}

function attempt(operation: string, body: () => void): void {
  try {
    body();
  } catch (cause) {
    throw new RuntsError(operation, { cause });
  }
}

function giveLike(like: string, path: string): void {
  const { uid, gid, mode } = Deno.statSync(like);
  Deno.chownSync(path, uid, gid);
  Deno.chmodSync(path, mode! & 0o7777);
}
