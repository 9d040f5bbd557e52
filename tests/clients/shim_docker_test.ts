/** Docker with runts in the place of runc's shim. */

import { prepareDocker } from "../support/clients/docker.ts";
import { DOCKER_CHECKS } from "../support/clients/docker_checks.ts";
import { linkShim } from "../support/clients/shim.ts";
import { suite } from "../support/clients/suite.ts";

suite({
  name: "shim by docker",
  async prepare(sandbox) {
    await linkShim(sandbox, "runc");
    await prepareDocker(sandbox);
  },
  checks: DOCKER_CHECKS,
});
