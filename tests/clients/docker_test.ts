/** Docker with runts as its default runtime. */

import { prepareDocker } from "./support/docker.ts";
import { DOCKER_CHECKS } from "./support/docker_checks.ts";
import { suite } from "./support/suite.ts";

suite({ name: "docker", prepare: prepareDocker, checks: DOCKER_CHECKS });
