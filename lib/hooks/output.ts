/** Where hooks write to if annotations name files. Loaded when they do. */

import { quote, type RuntsError } from "../base/errors.ts";
import { openHookFile } from "./output_file.ts";
import type { OwnHelper } from "../runtime/runtime.ts";
import { HOOK_OUTPUTS } from "../spec/values/hook_outputs.ts";

/** Descriptors for hooks; our own output where one is missing. Disposing of it closes them. */
export interface HookOutput extends Disposable {
  readonly stdout?: number;
  readonly stderr?: number;
}

/** Opens the files that annotations name; a failure is thrown, or handed to `warn`. */
export function openHookOutput(
  helper: OwnHelper,
  annotations: Readonly<Record<string, string>>,
  warn?: (message: string) => void,
): HookOutput {
  const fds: { stdout?: number; stderr?: number } = {};
  const close = () => Object.values(fds).forEach((fd) => helper.close(fd));
  for (const key of ["stdout", "stderr"] as const) {
    const name = HOOK_OUTPUTS[key];
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
