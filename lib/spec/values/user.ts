/** process.user. */

import type { Process, User } from "../types/config.ts";

const ROOT: User = { uid: 0, gid: 0 };

/** The user of a process: ids that are not there are root's, as with runc and crun. */
export function userOf(process: Process): User {
  return { ...ROOT, ...process.user };
}
