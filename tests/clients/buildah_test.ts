/** buildah, as root. */

import { BUILDAH_CHECKS } from "./support/buildah_checks.ts";
import { prepareBuildah } from "./support/buildah.ts";
import { suite } from "./support/suite.ts";

suite({ name: "buildah", prepare: prepareBuildah, checks: BUILDAH_CHECKS });
