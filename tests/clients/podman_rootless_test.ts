/** podman without root: the checks that need none, as a user of the sandbox. */

import { BASIC_CHECKS } from "../support/clients/podman_checks.ts";
import { asUser, prepareRootless, ROOTLESS_CHECKS } from "../support/clients/rootless.ts";
import { suite } from "../support/clients/suite.ts";

suite({
  name: "podman rootless",
  prepare: prepareRootless,
  checks: [...BASIC_CHECKS, ...ROOTLESS_CHECKS].map((check) => ({
    ...check,
    script: asUser(check.script),
  })),
});
