/** The runtimes that a benchmark compares, and the host that all of them work on. */

import { exists } from "../support/look.ts";
import { PROJECT } from "../support/runtime.ts";
import { endTimers } from "./timer.ts";

export interface Runtime {
  readonly name: "runts" | "runc" | "crun";
  readonly line: string[];
}

/** Those that are installed; runts comes first. */
export function installed(): Runtime[] {
  const all: Runtime[] = [{ name: "runts", line: [`${PROJECT}/dist/runts`] }];
  for (const name of ["runc", "crun"] as const) {
    const path = ["/usr/bin", "/usr/sbin", "/usr/local/sbin"].map((at) => `${at}/${name}`)
      .find((path) => exists(path));
    if (path !== undefined) all.push({ name, line: [path] });
    else console.log(`${name} is not installed`);
  }
  return all;
}

const UNIFIED = "/sys/fs/cgroup/unified";
const HYBRID = /^\S+ \S+ \S+ \S+ \/sys\/fs\/cgroup\/unified /m;

/**
 * Runs a benchmark. crun 1.8 does not work where a `unified` cgroup mount is in its sight, so on a hybrid host the
 * program is started again in a mount namespace without it, for all runtimes alike.
 */
export async function whereCrunWorks(program: string, main: () => Promise<void>): Promise<void> {
  const isHybrid = HYBRID.test(Deno.readTextFileSync("/proc/self/mountinfo"));
  if (isHybrid && !Deno.args.includes("--inside")) Deno.exit(await withoutUnified(program));
  try {
    await main();
  } finally {
    await endTimers();
  }
}

/** Starts the program again without that mount. */
async function withoutUnified(program: string): Promise<number> {
  const script = `umount ${UNIFIED}; exec "$0" "$@"`;
  const again = [Deno.execPath(), "run", "-A", program, ...Deno.args, "--inside"];
  const args = ["-m", "--propagation", "slave", "sh", "-c", script, ...again];
  const child = new Deno.Command("unshare", { args }).spawn();
  const { code } = await child.status;
  removeCgroups(`${UNIFIED}/bench-${child.pid}`);
  return code;
}

/** What criu has restored of others for runc and crun, where they do not see the hierarchy. */
function removeCgroups(directory: string): void {
  if (!exists(directory)) return;
  for (const { isDirectory, name } of Deno.readDirSync(directory)) {
    if (isDirectory) removeCgroups(`${directory}/${name}`);
  }
  Deno.removeSync(directory);
}
