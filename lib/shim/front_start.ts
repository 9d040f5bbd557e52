/** `start` for a front that was called as a shim (c/front/shim.c): it has the caller's place, and does no more. */

import { monitorCalls } from "../../ffi/monitor.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { reason } from "../base/errors.ts";
import { encodeText } from "../base/bytes.ts";
import { ShimMonitor } from "../body/shim_monitor.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { encodeStarting, StartingKind } from "../wire/body.ts";
import { shimArguments } from "./arguments.ts";
import { type ShimCaller, startShim } from "./start.ts";

/**
 * @param texts its words, an empty one, its variables
 * @param fds a socket to it, its working directory, its standard input; they are closed
 */
export async function startForFront(
  runtime: LoadedRuntime,
  texts: readonly string[],
  fds: readonly number[],
): Promise<void> {
  const [socket, directory, input] = fds as [number, number, number];
  const { helper } = runtime;
  const say = (kind: number, bytes: Uint8Array, given: readonly number[] = []) => {
    monitorCalls().send(socket, { bytes: encodeStarting(kind, bytes), fds: given });
  };
  try {
    const end = texts.indexOf("");
    const [words, variables] = [texts.slice(0, end), texts.slice(end + 1)];
    const caller: ShimCaller = {
      bundle: helper.readLink(ownDescriptor(directory)),
      variable: (name) =>
        variables.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) || undefined,
      input: await Deno.readFile(ownDescriptor(input)),
      begin: (title) =>
        // deno-lint-ignore require-await
        ShimMonitor.beginBy(helper, async (image, connection) => {
          say(StartingKind.monitor, encodeText(`${title}\0`), [image, connection]);
        }),
    };
    say(StartingKind.say, await startShim(runtime, shimArguments(words), caller));
  } catch (error) {
    say(StartingKind.fail, encodeText(`runts: shim: ${reason(error)}\n`));
  } finally {
    for (const fd of fds) helper.close(fd);
  }
}
