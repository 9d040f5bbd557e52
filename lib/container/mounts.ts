/** `mounts`: what a container that exists gets mounted, or loses again. */

import { RuntsError } from "../base/errors.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import type { ChangeOptions } from "../caller/options.ts";
import { isSetgroupsDenied, planHost } from "../host/facts.ts";
import { namespacesToJoin } from "../init/namespaces_of.ts";
import { spawnInit } from "../init/spawn.ts";
import { tracing, warningLine } from "../init/trace.ts";
import { type LiveInput, planAddedMount, planRemovedMounts } from "../plan/live_mounts.ts";
import type { Plan } from "../plan/plan.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { validateMounts } from "../spec/check/config.ts";
import { SpecError } from "../spec/json/document.ts";
import type { Mount, Spec } from "../spec/types/config.ts";
import { recordedCgroup } from "../state/cgroup.ts";
import { readCopy } from "../state/config_copy.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import type { Status } from "../state/status.ts";
import { withLock } from "../state/lock.ts";
import { withMaps } from "../userns/id_maps.ts";
import { openInit } from "./kill.ts";

/** What {@linkcode addMounts} and {@linkcode removeMounts} take. */
export interface MountsOptions extends ChangeOptions {
  /** As in a configuration; of those to remove only the destination counts. */
  readonly mounts: readonly Mount[];
  /** What messages call the list. Default: `mounts`. */
  readonly file?: string;
}

/** Mounts directories, files and tmpfs in a container. When one fails, those before it are taken away again. */
export function addMounts(given: RuntimeOrSettings, options: MountsOptions): Promise<void> {
  return onMounts(given, options, "add", async (live) => {
    const { mounts } = options;
    for (const [index, mount] of mounts.entries()) {
      try {
        await live.perform(planAddedMount(live.input, mount, index));
      } catch (error) {
        if (index > 0) await live.perform(planRemovedMounts(live.input, backward(mounts, index)));
        throw error;
      }
    }
  });
}

/** Takes mounts away again, the last one first, with all that is mounted below. */
export function removeMounts(given: RuntimeOrSettings, options: MountsOptions): Promise<void> {
  return onMounts(given, options, "remove", async (live) => {
    const { mounts } = options;
    await live.perform(planRemovedMounts(live.input, backward(mounts, mounts.length)));
  });
}

function backward(mounts: readonly Mount[], count: number): { mount: Mount; index: number }[] {
  return mounts.slice(0, count).map((mount, index) => ({ mount, index })).reverse();
}

/** A container whose mounts change. */
interface Live {
  readonly input: LiveInput;
  /** Has a process of ours carry out a plan in it. */
  perform(plan: Plan): Promise<void>;
}

function onMounts(
  given: RuntimeOrSettings,
  options: MountsOptions,
  verb: "add" | "remove",
  body: (live: Live) => Promise<void>,
): Promise<void> {
  return inCommand(given, `mounts ${verb}`, options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    const alive = () => {
      const { state, status } = inspect(directory);
      if (state !== "stopped" && state !== "creating") return status;
      throw new RuntsError(`cannot change the mounts of a container that is ${state}`);
    };
    alive();
    const copy = readCopy(directory);
    checkMounts(options, copy, verb);
    if (options.mounts.length === 0) return;
    const runtime = await load(unloaded);
    await withLock(runtime, directory, async () => {
      const status = alive();
      const input = await inputOf(runtime, options.id, status, copy);
      await body({ input, perform: (plan) => perform(runtime, status, plan, options.signal) });
    }, options.signal);
  }, options.signal);
}

/** Of what is removed the place is all that counts. */
function checkMounts(
  { mounts, file = "mounts" }: MountsOptions,
  spec: Spec,
  verb: "add" | "remove",
): void {
  const isPlace = /^mounts(\[\d+\](\.destination)?)?$/;
  const findings = validateMounts(mounts, spec)
    .filter(({ path }) => verb === "add" || isPlace.test(path));
  if (findings.length > 0) throw new SpecError(file, findings);
}

async function inputOf(
  runtime: LoadedRuntime,
  id: string,
  status: Status,
  copy: Spec,
): Promise<LiveInput> {
  const { pid, bundle } = status;
  const { namespaces } = namespacesToJoin(runtime, pid);
  if (!(namespaces & NAMESPACE_FLAGS.mount)) {
    throw new RuntsError("the container has no mount namespace of its own", {
      hint: "what is mounted on the host is there for it, too",
    });
  }
  const setgroupsDenied = isSetgroupsDenied(`/proc/${pid}`);
  const host = { ...planHost(runtime, recordedCgroup(runtime, status)), setgroupsDenied };
  return { id, spec: await withMaps(copy, pid), bundle, pid, host, namespaces };
}

async function perform(
  runtime: LoadedRuntime,
  status: Status,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const warning of plan.warnings) runtime.warn(warning);
  const container = openInit(runtime, status);
  try {
    const init = await spawnInit(runtime, {
      plan,
      own: { pidfd: container },
      streams: { stdin: "null", stdout: "null", stderr: "null" },
      preserve: 0,
    });
    try {
      await init.converse(
        {
          warning: (record) => runtime.warn(warningLine(record, plan.ops)),
          ...tracing(runtime, plan.ops),
        },
        "ready",
        signal,
      );
    } finally {
      await init.abort(); // it has nothing more to do
    }
  } finally {
    runtime.helper.close(container);
  }
}
