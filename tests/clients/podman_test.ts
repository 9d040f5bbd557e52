/** podman, as root. */

import { preparePodman } from "../support/clients/podman.ts";
import { PODMAN_CHECKS } from "../support/clients/podman_root_checks.ts";
import { suite } from "../support/clients/suite.ts";

suite({ name: "podman", prepare: preparePodman, checks: PODMAN_CHECKS });
