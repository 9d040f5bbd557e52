/** `start` of a shim: a monitor for a pod, unless there is one, and the address of its socket. */

import { monitorCalls } from "../../ffi/monitor.ts";
import { isRuntsError, RuntsError } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import { ownCommand } from "../base/own_command.ts";
import { ShimMonitor } from "../body/shim_monitor.ts";
import { cgroupsOf } from "../cgroup/process.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { readStat } from "../state/liveness.ts";
import { type Decoded, decodeMessage, encodeMessage } from "../wire/protobuf.ts";
import type { ShimArguments } from "./arguments.ts";
import { ANY, BOOTSTRAP_PARAMS, BOOTSTRAP_RESULT } from "./messages.ts";
import { taskOptions } from "./options.ts";
import { brainDirectory, groupDigest, groupDirectory, groupSocket } from "./places.ts";
import { GroupFiles } from "./record.ts";
import { joinCgroup } from "./shim_cgroup.ts";

/** Annotations that name a pod; the first one that is there does. */
const GROUPS = ["io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"];
const SCORE_MAX = 1000;
/** How long somebody else may take to start a shim, in ms. */
const LOCK_TIMEOUT = 10_000;
/** Variables of containerd that a brain gets. */
const PASSED =
  /^(PATH|HOME|USER|LANG|LC_\w+|TMPDIR|XDG_RUNTIME_DIR|DBUS_\w+_BUS_ADDRESS|DENO_\w+|RUNTS_\w+)=/;

/** What containerd gives on the standard input. */
interface Input {
  readonly options: Decoded<typeof ANY> | undefined;
  /** Of containerd 2.3 and later. */
  readonly bootstrap: Decoded<typeof BOOTSTRAP_PARAMS> | undefined;
}

/** The process that containerd has called. */
export interface ShimCaller {
  /** Its working directory, the bundle. */
  readonly bundle: string;
  variable(name: string): string | undefined;
  /** Its standard input. */
  readonly input: Uint8Array;
  /** Starts a monitor as its child. */
  begin(title: string): Promise<ShimMonitor>;
}

/** The process itself is the caller. */
export function ownCaller(runtime: LoadedRuntime, input: Uint8Array): ShimCaller {
  const { caller, helper } = runtime;
  return {
    bundle: caller.workingDirectory(),
    variable: (name) => caller.variable(name),
    input,
    begin(title) {
      if (caller.variable("SCHED_CORE") !== undefined) monitorCalls().scheduleCore();
      const { monitor, pid } = ShimMonitor.begin(helper, title);
      raiseScore(caller.pid, pid);
      return Promise.resolve(monitor);
    },
  };
}

/** Gives what is to be printed. */
export async function startShim(
  runtime: LoadedRuntime,
  args: ShimArguments,
  caller: ShimCaller,
): Promise<Uint8Array> {
  const { helper } = runtime;
  const { bundle } = caller;
  const { options, bootstrap } = inputOf(args, caller.input);
  const group = groupOf(bundle) ?? args.id;
  const grpc = bootstrap?.grpc_address || args.address;
  const { namespace } = args;
  const digest = await groupDigest({ address: grpc, namespace, group });
  const socket = groupSocket(digest, bootstrap?.socket_dir || undefined);
  const brain = caller.variable("RUNTS_BRAIN") ?? brainDirectory(runtime.caller);
  Deno.mkdirSync(`${brain}/shims`, { recursive: true, mode: 0o700 });
  const lock = await helper.lock(`${brain}/shims/.lock`, LOCK_TIMEOUT);
  try {
    if (!await isThere(runtime, socket)) {
      const events = bootstrap?.ttrpc_address || caller.variable("TTRPC_ADDRESS") ||
        `${grpc}.ttrpc`;
      const entry = { namespace, group, bundle, events: events.replace(/^unix:\/\//, ""), socket };
      new GroupFiles(groupDirectory(brain, digest)).writeGroup(entry);
      const names = { digest, group, socket, brain };
      await begin(runtime, caller, names, taskOptions(options).shimCgroup);
    }
  } finally {
    helper.close(lock);
  }
  const address = `unix://${socket}`;
  writeAddress(bundle, address);
  if (bootstrap === undefined) return new TextEncoder().encode(address);
  return encodeMessage(BOOTSTRAP_RESULT, { version: 3, address, protocol: "ttrpc" });
}

/** It is BootstrapParams if it says what the command line says. */
function inputOf({ id, namespace }: ShimArguments, bytes: Uint8Array): Input {
  try {
    const bootstrap = decodeMessage(BOOTSTRAP_PARAMS, bytes);
    if (bootstrap.instance_id === id && bootstrap.namespace === namespace) {
      const [first] = bootstrap.extensions;
      return { options: first?.value, bootstrap };
    }
  } catch (error) {
    if (!isRuntsError(error)) throw error;
  }
  return {
    options: bytes.length > 0 ? decodeMessage(ANY, bytes) : undefined,
    bootstrap: undefined,
  };
}

function groupOf(bundle: string): string | undefined {
  const file = `${bundle}/config.json`;
  let document: { annotations?: Record<string, string> };
  try {
    document = JSON.parse(Deno.readTextFileSync(file));
  } catch (cause) {
    throw new RuntsError(`read ${JSON.stringify(file)}`, { cause });
  }
  return GROUPS.map((name) => document.annotations?.[name]).find((value) => value);
}

/** Whether somebody listens there. */
async function isThere({ helper, body }: LoadedRuntime, path: string): Promise<boolean> {
  try {
    helper.close(await body.connect(path));
    return true;
  } catch {
    return false;
  }
}

async function begin(
  runtime: LoadedRuntime,
  by: ShimCaller,
  names: { digest: string; group: string; socket: string; brain: string },
  cgroup: string,
): Promise<void> {
  const { helper, caller } = runtime;
  const { digest, group, socket, brain } = names;
  Deno.mkdirSync(socket.replace(/\/[^/]*$/, ""), { recursive: true, mode: 0o700 });
  removeQuietly(socket);
  const listening = helper.listenUnix(socket, 0o600);
  const monitor = await by.begin(group);
  try {
    const before = cgroup === "" ? [] : await enterCgroup(runtime, cgroup, monitor);
    const args = [...ownCommand(), "shim", "serve", "3", "4", brain, ...before];
    const env = caller.environment().filter((entry) => PASSED.test(entry));
    const command = { path: args[0]!, args, env, directory: "/" };
    await monitor.serve({ name: digest, directory: brain, path: socket, listening, command });
  } catch (error) {
    removeQuietly(socket);
    throw error;
  } finally {
    helper.close(listening);
    monitor[Symbol.dispose]();
  }
}

/** Gives where it was: a brain that it starts is no part of the pod, and goes back there. */
async function enterCgroup(
  runtime: LoadedRuntime,
  cgroup: string,
  monitor: ShimMonitor,
): Promise<Iterable<string>> {
  const { pid } = await monitor.hello();
  const before = Object.values(cgroupsOf(runtime, pid));
  joinCgroup(runtime, cgroup, pid);
  return new Set(before);
}

/** The kernel takes the monitor before containerd, and the container's processes as they say. */
function raiseScore(own: number, pid: number): void {
  const parent = readStat(own)?.parent ?? 1;
  const score = Number(Deno.readTextFileSync(`/proc/${parent}/oom_score_adj`));
  Deno.writeTextFileSync(`/proc/${pid}/oom_score_adj`, String(Math.min(score + 1, SCORE_MAX)));
}

/** By this file containerd finds the shim again. */
function writeAddress(bundle: string, address: string): void {
  const temporary = `${bundle}/.address`;
  Deno.writeTextFileSync(temporary, address, { mode: 0o644 });
  Deno.renameSync(temporary, `${bundle}/address`);
}
