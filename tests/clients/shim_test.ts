/** containerd with runts as its shim, under its own name, through ctr; beside runc's shim with runc and crun. */

import { prepareContainerd } from "../support/clients/containerd.ts";
import { shimChecks } from "../support/clients/containerd_checks.ts";
import { linkShim } from "../support/clients/shim.ts";
import { SHIM_CHECKS } from "../support/clients/shim_checks.ts";
import { suite } from "../support/clients/suite.ts";

suite({
  name: "shim",
  async prepare(sandbox) {
    await linkShim(sandbox, "runts");
    await prepareContainerd(sandbox);
  },
  checks: shimChecks(SHIM_CHECKS),
});
