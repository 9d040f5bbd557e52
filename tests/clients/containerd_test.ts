/** containerd with its runc shim, through ctr. */

import { prepareContainerd } from "./support/containerd.ts";
import { CONTAINERD_CHECKS } from "./support/containerd_checks.ts";
import { suite } from "./support/suite.ts";

suite({ name: "containerd", prepare: prepareContainerd, checks: CONTAINERD_CHECKS });
