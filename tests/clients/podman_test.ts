/** podman, as root. */

import { preparePodman } from "./support/podman.ts";
import { PODMAN_CHECKS } from "./support/podman_root_checks.ts";
import { suite } from "./support/suite.ts";

suite({ name: "podman", prepare: preparePodman, checks: PODMAN_CHECKS });
