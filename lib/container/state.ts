/** `state`: the state document of the specification, with the fields that runc adds. */

import { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { absoluteRootfs } from "../base/absolute.ts";
import { inCommand } from "../runtime/command.ts";
import { readCopyIfAny } from "../state/config_copy.ts";
import { documentOf } from "../state/document.ts";
import type { RuntimeOrSettings } from "../runtime/runtime.ts";
import type { State } from "../spec/types/state.ts";
import type { ContainerName } from "../caller/options.ts";

/** The state document (runtime.md, "State"), and what runc adds to it. */
export interface StateDocument extends State {
  /** Process id of init, as the host sees it; 0 when stopped. */
  readonly pid: number;
  /** Absolute path of the root filesystem. */
  readonly rootfs: string;
  /** When it was made: RFC 3339, UTC. */
  readonly created: string;
  /** Name of the user who made it. */
  readonly owner: string;
}

/** What state a container is in; throws when there is none of that id. */
export function state(
  given: RuntimeOrSettings,
  options: ContainerName,
): Promise<StateDocument> {
  return inCommand(given, "state", options.id, (runtime) => {
    const directory = new StateDirectory(runtime, options.id);
    return stateDocument(directory, inspect(directory));
  });
}

/** The document of a container that was looked at. */
export function stateDocument(directory: StateDirectory, found: Inspection): StateDocument {
  const { status } = found;
  const copy = status.annotations === undefined ? readCopyIfAny(directory) : undefined;
  const pid = found.state === "stopped" ? 0 : status.pid;
  const { ociVersion, annotations, ...rest } = documentOf(
    { id: directory.id, status, copy },
    found.state,
    pid,
  );
  return {
    ociVersion,
    id: rest.id,
    pid,
    status: rest.status,
    bundle: rest.bundle,
    rootfs: absoluteRootfs(status.bundle, status.rootfs),
    created: status.created,
    ...(annotations && { annotations }),
    owner: status.owner,
  };
}
