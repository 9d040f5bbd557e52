/** Starting the init of a container that is made. */

import { connectConsole } from "../caller/console_socket.ts";
import type { CreateOptions } from "../caller/options.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { listenFds } from "../host/facts.ts";
import type { InitProcess } from "../init/conversation.ts";
import type { HookStates } from "../init/hook_states.ts";
import { canBeLate, spawnInit } from "../init/spawn.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import type { Attendant } from "./creation_parts.ts";
import { preservedFds } from "./creation_plan.ts";

/** Files for the state documents of the hooks inside, if there are such hooks. */
export async function hookStates(
  { helper }: LoadedRuntime,
  { slots }: ContainerPlan,
): Promise<HookStates | undefined> {
  if (!slots.some(({ kind }) => kind === "hook-state")) return undefined;
  const { HookStates } = await import("../init/hook_states.ts");
  return new HookStates(helper, slots);
}

/** Whether init can be at work before its cgroup is there. */
export function takesCgroupLate(
  runtime: LoadedRuntime,
  options: CreateOptions,
  plan: ContainerPlan,
): Promise<boolean> {
  const preserve = preservedFds(options, listenFds(runtime.caller));
  return canBeLate(runtime, { plan, streams: options, preserve });
}

/** What init is started with. */
interface Planned {
  readonly plan: ContainerPlan;
  readonly cgroup: CgroupRecord;
  /** The cgroup comes later. */
  readonly late: boolean;
  readonly states: HookStates | undefined;
  readonly attendant: Attendant | undefined;
}

/** Makes the fifos at which init is going to wait, and starts it. */
export async function spawnPlanned(
  runtime: LoadedRuntime,
  options: CreateOptions,
  directory: StateDirectory,
  { plan, cgroup, late, states, attendant }: Planned,
): Promise<InitProcess> {
  const { helper, caller } = runtime;
  const console = attendant?.console;
  const fifo = directory.file("exec.fifo");
  const result = directory.file("result.fifo");
  helper.makeFifo(fifo, 0o600);
  helper.makeFifo(result, 0o600);
  const socket = console ?? await consoleOf(runtime, options);
  try {
    return await spawnInit(runtime, {
      plan,
      own: {
        fifo,
        result,
        ...(socket !== undefined && { console: socket }),
        ...(states && { states: states.fds }),
        ...(attendant?.terminals && { terminals: attendant.terminals }),
      },
      streams: options,
      preserve: preservedFds(options, listenFds(caller)),
      cgroup,
      late,
    });
  } finally {
    if (socket !== undefined && console === undefined) helper.close(socket);
  }
}

async function consoleOf(
  runtime: LoadedRuntime,
  { consoleSocket }: CreateOptions,
): Promise<number | undefined> {
  return consoleSocket === undefined ? undefined : await connectConsole(runtime, consoleSocket);
}
