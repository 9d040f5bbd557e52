/** containerd's CRI with runts as its shim, under its own name; beside runc's shim with runc and crun. */

import { prepareCri } from "../support/clients/cri.ts";
import { CRI_CHECKS } from "../support/clients/cri_checks.ts";
import { linkShim } from "../support/clients/shim.ts";
import { suite } from "../support/clients/suite.ts";

/** The others keep the shim of runc. */
const CONFIG = "/etc/containerd/config.toml";

suite({
  name: "shim by cri",
  async prepare(sandbox) {
    await linkShim(sandbox, "runts");
    await prepareCri(sandbox, sandbox.name === "runts" ? `${CONFIG} with the shim` : CONFIG);
  },
  checks: CRI_CHECKS,
});
