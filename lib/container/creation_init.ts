/** Starting the init of a container that is made. */

import { connectConsole } from "../caller/console_socket.ts";
import type { CreateOptions } from "../caller/options.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import type { InitProcess } from "../init/conversation.ts";
import type { HookStates } from "../init/hook_states.ts";
import { spawnInit } from "../init/spawn.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import type { Attendant } from "./creation_parts.ts";

/** Files for the state documents of the hooks inside, if there are such hooks. */
export async function hookStates(
  { helper }: LoadedRuntime,
  { slots }: ContainerPlan,
): Promise<HookStates | undefined> {
  if (!slots.some(({ kind }) => kind === "hook-state")) return undefined;
  const { HookStates } = await import("../init/hook_states.ts");
  return new HookStates(helper, slots);
}

/** What init is started with. */
interface Planned {
  readonly plan: ContainerPlan;
  readonly cgroup: CgroupRecord;
  /** The cgroup comes later. */
  readonly late: boolean;
  /** How many descriptors from 3 on the program gets of the caller's. */
  readonly preserve: number;
  readonly states: HookStates | undefined;
  readonly attendant: Attendant | undefined;
}

/** Makes the fifos at which init is going to wait, and starts it. */
export async function spawnPlanned(
  runtime: LoadedRuntime,
  options: CreateOptions,
  directory: StateDirectory,
  { plan, cgroup, late, preserve, states, attendant }: Planned,
): Promise<InitProcess> {
  const { helper } = runtime;
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
      ...{ preserve, cgroup, late },
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
