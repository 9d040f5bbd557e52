/** A program in new namespaces, which is no container: nothing of it is recorded. */

import { Attachment } from "../caller/foreground.ts";
import { planHost } from "../host/facts.ts";
import { spawnInit } from "../init/spawn.ts";
import { warningLine } from "../init/trace.ts";
import { planUnshare } from "../plan/unshare.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { IdMapping, NamespaceType, Process } from "../spec/types/config.ts";
import { writeIdMaps } from "../userns/id_maps.ts";

/** What is run. */
interface UnshareOptions {
  readonly process: Process;
  readonly namespaces: readonly NamespaceType[];
  /** Of a user namespace. */
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  /** In a uts namespace. */
  readonly hostname?: string;
  /** What belongs to the namespaces is mounted anew: /proc, /dev/shm and /dev/mqueue. */
  readonly remounts: boolean;
  /** Network devices that are moved into the network namespace. */
  readonly devices: readonly string[];
  /** Nobody waits for its end. */
  readonly detach: boolean;
}

/** Runs it, and gives its exit code; 0 once it runs where nobody waits. */
export async function unshare(runtime: LoadedRuntime, options: UnshareOptions): Promise<number> {
  const { process, namespaces, uidMappings = [], gidMappings = [], hostname } = options;
  const linux = {
    namespaces: namespaces.map((type) => ({ type })),
    ...(uidMappings.length > 0 && { uidMappings, gidMappings }),
  };
  const plan = planUnshare({
    id: "",
    spec: {
      ociVersion: "1.2.0",
      root: { path: "/" },
      process,
      linux,
      ...(hostname !== undefined && { hostname }),
    },
    bundle: "/",
    host: planHost(runtime, { kind: "disabled", path: "", paths: {} }),
    cgroup: { files: [], moved: false },
    console: false,
    preserveFds: 0,
    noPivot: false,
    noNewKeyring: true,
  }, options.remounts);
  for (const warning of plan.warnings) runtime.warn(warning);
  const foreground = await Attachment.open(runtime, { terminal: false, adoptOrphans: false });
  try {
    const init = await spawnInit(runtime, { plan, own: {}, streams: {}, preserve: 0 });
    let pid = 0;
    try {
      if (!options.detach) foreground.begin();
      await init.converse({
        pid: (newest) => pid = newest,
        maps: (newest) => writeIdMaps(runtime, newest, linux),
        namespaces: () => move(runtime, options.devices, pid),
        warning: (record) => runtime.warn(warningLine(record, plan.ops)),
      }, "executed");
      await init.finish();
    } catch (error) {
      await init.abort();
      throw error;
    }
    const child = { pid, pidfd: init.pidfd };
    try {
      if (options.detach) return 0;
      foreground.forwardTo(child.pidfd);
      return (await foreground.wait(child)).code;
    } finally {
      runtime.helper.close(child.pidfd);
    }
  } finally {
    await foreground.end();
  }
}

async function move(
  runtime: LoadedRuntime,
  devices: readonly string[],
  pid: number,
): Promise<void> {
  if (devices.length === 0) return;
  const { moveNetDevices } = await import("../net/net_devices.ts");
  const wanted = Object.fromEntries(devices.map((name) => [name, { name }]));
  moveNetDevices(runtime, pid, wanted)[Symbol.dispose]();
}
