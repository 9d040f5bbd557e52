/** podman without root, in a session of a user with systemd. */

import { systemdSuite } from "../support/clients/podman_systemd.ts";

systemdSuite(["v2", "session"]);
