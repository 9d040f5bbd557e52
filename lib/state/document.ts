/** The state document of the specification (runtime.md, "State"), for hooks, agents and `state`. */

import type { Spec, State } from "../spec/types/config.ts";
import type { Status } from "./status.ts";
import { OCI_VERSION } from "../base/version.ts";

/** What is recorded of a container, and the copy of its configuration. */
interface Recorded {
  readonly id: string;
  readonly status: Pick<Status, "bundle" | "annotations">;
  /** crun keeps annotations there alone. */
  readonly copy: Pick<Spec, "annotations"> | undefined;
}

/** The document of a container in this state. */
export function documentOf(recorded: Recorded, status: State["status"], pid: number): State {
  const annotations = recorded.status.annotations ?? recorded.copy?.annotations ?? {};
  return {
    ociVersion: OCI_VERSION,
    id: recorded.id,
    status,
    pid,
    bundle: recorded.status.bundle,
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}
