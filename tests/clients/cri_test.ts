/** containerd's CRI, as the kubelet calls it. */

import { prepareCri } from "./support/cri.ts";
import { CRI_CHECKS } from "./support/cri_checks.ts";
import { suite } from "./support/suite.ts";

suite({ name: "cri", prepare: prepareCri, checks: CRI_CHECKS });
