/** podman, as root. */

import { PODMAN_CHECKS } from "./support/podman_checks.ts";
import { preparePodman } from "./support/podman.ts";
import { suite } from "./support/suite.ts";

suite({ name: "podman", prepare: preparePodman, checks: PODMAN_CHECKS });
