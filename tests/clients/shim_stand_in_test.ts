/** containerd with runts in the place of runc's shim, through ctr. */

import { prepareContainerd } from "../support/clients/containerd.ts";
import { CONTAINERD_CHECKS } from "../support/clients/containerd_checks.ts";
import { linkShim } from "../support/clients/shim.ts";
import { suite } from "../support/clients/suite.ts";

suite({
  name: "shim in runc's place",
  async prepare(sandbox) {
    await linkShim(sandbox, "runc");
    await prepareContainerd(sandbox);
  },
  checks: CONTAINERD_CHECKS,
});
