/**
 * The cgroups of a container whose ids are mapped belong to its root, or systemd cannot work there. Their
 * limits stay the host's. An ordinary user cannot give anything away, nor remove what others have made in
 * it: a program does, as root of a user namespace that has the ids of both.
 */

import { quote, RuntsError } from "../../base/errors.ts";
import { isDirectory, statFile } from "../../base/files.ts";
import { withDescendants } from "../../cgroup/files.ts";
import type { CgroupManager } from "../../cgroup/manager.ts";
import { hostId } from "../../cgroup/ownership.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { recordedCgroup } from "../../state/cgroup.ts";
import type { StateDirectory } from "../../state/directory.ts";
import { inspectIfRecorded } from "../../state/inspect.ts";
import type { SystemPlan } from "../plan/types.ts";

/** What an owner of cgroups may write to, on hierarchies of version 1 and of version 2. */
const FILES = ["cgroup.procs", "tasks", "cgroup.subtree_control", "cgroup.threads"];
/** Where programs of the host are. */
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Gives them to the container's root, if its ids are mapped. */
export async function giveCgroups(
  runtime: LoadedRuntime,
  { record }: CgroupManager,
  plan: SystemPlan,
): Promise<void> {
  const root = mappedRoot(plan);
  if (root === undefined) return;
  const paths = Object.values(record.paths).flatMap((directory) => [
    directory,
    ...FILES.map((name) => `${directory}/${name}`).filter((file) => statFile(file) !== undefined),
  ]);
  if (runtime.caller.uid === 0) { for (const path of paths) Deno.chownSync(path, root.uid, null); }
  else if (paths.length > 0) await runAsRoot(runtime, root, ["chown", "0", ...paths]);
}

/** Removes what a container has made in its cgroups, before they are removed. */
export async function emptyCgroups(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
): Promise<void> {
  const root = mappedRoot(plan);
  const found = inspectIfRecorded(directory);
  if (root === undefined || runtime.caller.uid === 0 || found === undefined) return;
  const { paths } = recordedCgroup(runtime, found.status);
  const below = Object.values(paths).filter(isDirectory)
    .flatMap((path) => withDescendants(path).slice(1).toReversed());
  if (below.length > 0) await runAsRoot(runtime, root, ["rmdir", ...below]);
}

/** Ids of the host. */
interface Root {
  readonly uid: number;
  readonly gid: number;
}

function mappedRoot({ spec: { linux } }: SystemPlan): Root | undefined {
  if (!linux?.uidMappings?.length) return undefined;
  const [uid, gid] = [hostId(0, linux.uidMappings), hostId(0, linux.gidMappings)];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** Runs a program as that root, with the caller's ids beside it. */
async function runAsRoot(
  runtime: LoadedRuntime,
  root: Root,
  args: readonly string[],
): Promise<void> {
  const { unshare } = await import("../../container/unshare.ts");
  const { caller } = runtime;
  const both = (own: number, other: number) => [
    { containerID: 0, hostID: other, size: 1 },
    ...(own === other ? [] : [{ containerID: 1, hostID: own, size: 1 }]),
  ];
  const set = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] as const;
  const code = await unshare(runtime, {
    process: {
      args,
      cwd: "/",
      env: [PATH],
      user: { uid: 0, gid: 0 },
      capabilities: { bounding: set, effective: set, permitted: set },
    },
    namespaces: ["user"],
    uidMappings: both(caller.uid, root.uid),
    gidMappings: both(caller.gid, root.gid),
    devices: [],
    remounts: false,
    detach: false,
  });
  if (code !== 0) {
    throw new RuntsError(`run ${quote(args[0])} on the container's cgroups`, {
      cause: `it ended with code ${code}`,
    });
  }
}
