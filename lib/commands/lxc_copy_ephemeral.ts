/** `lxc copy --ephemeral`: the copy is made and started. */

import { RuntsError } from "../base/errors.ts";
import { checkName } from "../lxc/place.ts";
import { startSystem } from "../lxc/life/start.ts";
import { copyForOneLife } from "../lxc/store/ephemeral.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { untilSignal } from "./lxc_signals.ts";

/** What the command line says. */
interface Given {
  readonly runtime: Runtime;
  readonly print: (text: string) => void;
  readonly options: {
    readonly newname?: string;
    readonly newpath?: string;
    readonly keepdata?: boolean;
    readonly keepname?: boolean;
    readonly keepmac?: boolean;
    readonly allowrunning?: boolean;
    readonly mount?: readonly string[];
    readonly tmpfs?: boolean;
    readonly foreground?: boolean;
    readonly backingstorage?: string;
  };
}

interface Source {
  readonly name: string | undefined;
  readonly lxcpath: string | undefined;
  readonly hookArgs: readonly string[];
}

/** Makes and starts the copy; what cannot be started is removed. */
export async function copyEphemeral(
  { runtime, print, options }: Given,
  { name: given, lxcpath: from, hookArgs }: Source,
): Promise<void> {
  const name = checkName(given);
  const { newname, newpath, keepdata = false, tmpfs = false, foreground = false } = options;
  if (options.backingstorage === "dir") {
    throw new RuntsError("what --ephemeral makes is an overlay", { hint: "leave -B away" });
  }
  const { keepname: keepName, keepmac: keepAddresses, allowrunning: allowRunning } = options;
  const copy = await untilSignal((signal) =>
    copyForOneLife(runtime, {
      ...{ name, lxcpath: from, newPath: newpath, newName: newname },
      ...{ keepData: keepdata, tmpfs, mounts: options.mount ?? [] },
      manner: { keepName, keepAddresses, allowRunning, hookArgs, signal },
    })
  );
  print(`Created ${copy.name} as clone of ${name}\n`);
  try {
    const started = await startSystem(runtime, {
      ...copy,
      ...(foreground && { foreground: true }),
    });
    if (started.foreground === undefined) return;
    const { stayInForeground } = await import("./lxc_foreground.ts");
    await stayInForeground(started.foreground);
  } catch (error) {
    if (!keepdata) {
      const { destroyContainer } = await import("../lxc/store/destroy.ts");
      await destroyContainer(runtime, { ...copy, force: true }).catch(() => {});
    }
    throw error;
  }
}
