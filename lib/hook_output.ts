/** Where hooks write to if annotations name files. Loaded when they do. */

import type { Helper } from "../ffi/helper.ts";
import { quote, type RuntsError } from "./errors.ts";
import { openHookFile } from "./hook_file.ts";

/** Descriptors for hooks; our own output where one is missing. Disposing of it closes them. */
export interface HookOutput extends Disposable {
  readonly stdout?: number;
  readonly stderr?: number;
}

const OUTPUTS = [["stdout", "run.oci.hooks.stdout"], ["stderr", "run.oci.hooks.stderr"]] as const;

/** Opens the files that annotations name; a failure is thrown, or handed to `warn`. */
export function openHookOutput(
  helper: Helper,
  annotations: Readonly<Record<string, string>>,
  warn?: (message: string) => void,
): HookOutput {
  const fds: { stdout?: number; stderr?: number } = {};
  const close = () => Object.values(fds).forEach((fd) => helper.close(fd));
  for (const [key, name] of OUTPUTS) {
    const path = annotations[name];
    if (path === undefined) continue;
    try {
      fds[key] = openHookFile(helper, path, `annotations[${quote(name)}]`);
    } catch (error) {
      if (warn === undefined) {
        close();
        throw error;
      }
      warn((error as RuntsError).message);
    }
  }
  return { ...fds, [Symbol.dispose]: close };
}
