/** Docker with runts as its default runtime. */

import { prepareDocker } from "../support/clients/docker.ts";
import { DOCKER_CHECKS } from "../support/clients/docker_checks.ts";
import { suite } from "../support/clients/suite.ts";

suite({ name: "docker", prepare: prepareDocker, checks: DOCKER_CHECKS });
