/** containerd's CRI, as the kubelet calls it. */

import { prepareCri } from "../support/clients/cri.ts";
import { CRI_CHECKS } from "../support/clients/cri_checks.ts";
import { suite } from "../support/clients/suite.ts";

suite({ name: "cri", prepare: prepareCri, checks: CRI_CHECKS });
