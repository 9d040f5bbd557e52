/** containerd with its runc shim, through ctr. */

import { prepareContainerd } from "../support/clients/containerd.ts";
import { CONTAINERD_CHECKS } from "../support/clients/containerd_checks.ts";
import { suite } from "../support/clients/suite.ts";

suite({ name: "containerd", prepare: prepareContainerd, checks: CONTAINERD_CHECKS });
