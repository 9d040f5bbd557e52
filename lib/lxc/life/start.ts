/** `lxc start`: from a configuration to a container that runs. */

import { quote, reason, RuntsError } from "../../base/errors.ts";
import { containerPaths } from "../../cgroup/location.ts";
import { detectHost } from "../../cgroup/hierarchies.ts";
import { isDirectory } from "../../base/files.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { StateDirectory } from "../../state/directory.ts";
import type { LxcConfig } from "../config/config.ts";
import { wordsOf } from "../config/values.ts";
import { openContainer, planOpened, refuse } from "../container.ts";
import { logOf } from "../log.ts";
import { type Choice, lxcPath } from "../place.ts";
import type { SystemPlan } from "../plan/types.ts";
import { withProfile } from "./apparmor.ts";
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
        makeRootPlaces(plan);
        const joined = withShared(logged, plan, lxcpath, options.shared);
        const executed = asExecuted(withProfile(logged, joined), options);
        return Promise.resolve(
          logged.caller.uid !== 0
            ? forOrdinaryUser(logged, id, executed)
            : inFreeCgroup(logged, executed),
        );
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
  { foreground: isJoined }: StartOptions,
): Promise<StartedSystem> {
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

/** How many cgroups of a name are tried. */
const SUFFIX_MAX = 1000;

/** With the first cgroup that is nobody's: `lxc.payload.NAME`, `lxc.payload.NAME-1` and so on. */
function inFreeCgroup(runtime: Runtime, plan: SystemPlan): SystemPlan {
  const { exact } = plan.beyond.cgroup;
  const path = plan.spec.linux?.cgroupsPath;
  if (exact || path === undefined) return plan;
  const host = detectHost(runtime);
  for (let number = 0; number < SUFFIX_MAX; number++) {
    const cgroupsPath = number === 0 ? path : `${path}-${number}`;
    const directories = Object.values(containerPaths(host, plan.name, cgroupsPath));
    if (directories.some(isDirectory)) continue;
    return { ...plan, spec: { ...plan.spec, linux: { ...plan.spec.linux, cgroupsPath } } };
  }
  throw new RuntsError(`no cgroup ${quote(path)} is free`);
}
