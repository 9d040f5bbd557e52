/** `lxc start`: from a configuration to a container that runs. */

import { reason, RuntsError } from "../../base/errors.ts";
import type { CriuOptions } from "../../container/restorer.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { StateDirectory } from "../../state/directory.ts";
import type { LxcConfig } from "../config/config.ts";
import { wordsOf } from "../config/values.ts";
import { openContainer, refuse } from "../container.ts";
import { logOf } from "../log.ts";
import { type Choice, lxcPath } from "../place.ts";
import { planOpened } from "../planned.ts";
import type { SystemPlan } from "../plan/types.ts";
import { withProfile } from "./apparmor.ts";
import { claimCgroup } from "./claim_cgroup.ts";
import { Foreground } from "./foreground.ts";
import { forOrdinaryUser } from "./ordinary_user.ts";
import { refuseUnsupported } from "./unsupported.ts";
import { lockToStart } from "../store/start_lock.ts";
import { type Shared, withShared } from "./shared.ts";
import { createSystem, inTheirLines } from "./make.ts";
import { makeRootPlaces } from "./root.ts";
import { systemId } from "./record.ts";
import { settleLocked } from "./settle.ts";
import { systemNow } from "./state.ts";
import { withLockIfThere } from "../../state/lock.ts";
import { readSupervised } from "../../state/supervised.ts";

/** What is started. */
interface StartOptions extends Choice {
  /** argv of init instead of that of the configuration. */
  readonly command?: readonly string[];
  /** Namespaces that it has with others. */
  readonly shared?: readonly Shared[];
  /** The caller is joined to it, and sees to it until it has stopped. */
  readonly foreground?: boolean;
  /** Its processes come out of an image. */
  readonly image?: CriuOptions;
  /** The command is a child of an init that reaps orphans, and has no terminal but the caller's. */
  readonly execute?: { readonly terminal: boolean; readonly uid?: number; readonly gid?: number };
}

/** A container that was started, or that runs already. */
interface StartedSystem {
  readonly id: string;
  readonly already: boolean;
  /** Of its monitor. */
  readonly monitor: number;
  /** Of a container in the foreground; the caller disposes of it. */
  readonly foreground?: Foreground;
}

/** Starts a container. Once this returns its init has been executed. */
export function startSystem(
  given: RuntimeOrSettings,
  options: StartOptions,
): Promise<StartedSystem> {
  return inCommand(given, "start", options.name ?? "", async (unloaded) => {
    const opened = await openContainer(unloaded, options);
    const id = systemId(unloaded, lxcPath(unloaded, options.lxcpath), opened.name);
    const directory = new StateDirectory(unloaded, id);
    const runtime = await load(unloaded);
    using _lock = await lockToStart(runtime, opened);
    await settleFormer(runtime, directory);
    if (systemNow(runtime, id).state !== "STOPPED") return startedOf(directory, true);
    const { plan, findings } = await planOpened(
      unloaded,
      opened,
      commandOf(options, opened.config),
    );
    refuse(findings);
    for (const { at, message } of plan.warnings) runtime.warn(`${at.file}:${at.line}: ${message}`);
    const lxcpath = lxcPath(unloaded, options.lxcpath);
    const log = await inTheirLines(plan, () => logOf(runtime, plan));
    const logged = log?.on(runtime) ?? runtime;
    try {
      const own = await inTheirLines(plan, () => {
        refuseUnsupported(plan);
        makeRootPlaces(logged.caller, plan);
        const joined = withShared(logged, plan, lxcpath, options.shared);
        const executed = asExecuted(withProfile(logged, joined), options);
        const isRoot = logged.caller.uid === 0;
        return Promise.resolve(isRoot ? executed : forOrdinaryUser(logged, id, executed));
      });
      const started = await makeNew(logged, directory, own, options);
      log?.write("NOTICE", "start", `runs as ${directory.id}`);
      return started;
    } catch (error) {
      log?.write("ERROR", "start", reason(error));
      throw error;
    }
  });
}

async function makeNew(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
  options: StartOptions,
): Promise<StartedSystem> {
  const claim = claimCgroup(runtime, plan);
  try {
    return await make(runtime, directory, claim.plan, options);
  } catch (error) {
    claim.giveUp();
    throw error;
  }
}

async function make(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
  { foreground: isJoined, image }: StartOptions,
): Promise<StartedSystem> {
  if (image !== undefined) {
    const { restoreSystem } = await import("./make_restored.ts");
    await restoreSystem(runtime, directory, plan, image);
    if (!isJoined) return startedOf(directory, false);
    const foreground = new Foreground(runtime, directory);
    await foreground.join(true);
    return { ...startedOf(directory, false), foreground };
  }
  if (!isJoined) {
    await createSystem(runtime, directory, plan);
    return startedOf(directory, false);
  }
  const foreground = new Foreground(runtime, directory);
  await createSystem(runtime, directory, plan, () => foreground.join());
  return { ...startedOf(directory, false), foreground };
}

/** What is left of one that has ended is cleared away. */
async function settleFormer(runtime: LoadedRuntime, directory: StateDirectory): Promise<void> {
  const { state, isLeft } = systemNow(runtime, directory.id);
  if (state !== "STOPPING" && !isLeft) return;
  await withLockIfThere(runtime, directory, () => settleLocked(runtime, directory, "stop"));
}

function startedOf(directory: StateDirectory, already: boolean): StartedSystem {
  const monitor = readSupervised(directory.path)?.monitor.pid ?? 0;
  return { id: directory.id, already, monitor };
}

/** argv that is asked for; that of `execute` may be in the configuration. */
function commandOf(
  { command, execute }: StartOptions,
  config: LxcConfig,
): readonly string[] | undefined {
  if (execute === undefined || (command?.length ?? 0) > 0) return command;
  const own = config.get("lxc.execute.cmd")?.value;
  if (own === undefined) {
    throw new RuntsError("no command is given, and lxc.execute.cmd is not set");
  }
  return wordsOf(own);
}

/** The plan of `execute`. */
function asExecuted(plan: SystemPlan, { execute }: StartOptions): SystemPlan {
  const { process } = plan.spec;
  if (execute === undefined || process === undefined) return plan;
  const { terminal, uid, gid } = execute;
  const user = {
    ...(process.user ?? { uid: 0, gid: 0 }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  };
  const ttys = { ...plan.beyond.ttys, count: 0 };
  return {
    ...plan,
    reaps: true,
    spec: { ...plan.spec, process: { ...process, terminal, user } },
    beyond: { ...plan.beyond, ttys },
  };
}
