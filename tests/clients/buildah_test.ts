/** buildah, as root. */

import { BUILDAH_CHECKS } from "../support/clients/buildah_checks.ts";
import { prepareBuildah } from "../support/clients/buildah.ts";
import { suite } from "../support/clients/suite.ts";

suite({ name: "buildah", prepare: prepareBuildah, checks: BUILDAH_CHECKS });
