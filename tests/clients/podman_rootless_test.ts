/** podman without root: the same checks, as a user of the sandbox. */

import { BASIC_CHECKS } from "./support/podman_checks.ts";
import { asUser, prepareRootless } from "./support/rootless.ts";
import { suite } from "./support/suite.ts";

suite({
  name: "podman rootless",
  prepare: prepareRootless,
  checks: BASIC_CHECKS.map((check) => ({ ...check, script: asUser(check.script) })),
});
