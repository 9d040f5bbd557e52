/** podman, as root, with systemd. */

import { systemdSuite } from "../support/clients/podman_systemd.ts";

systemdSuite(["v2", "systemd"]);
