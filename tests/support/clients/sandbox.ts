/**
 * A place for one client with one runtime: namespaces of its own (mounts, processes, network,
 * IPC, host name) with fresh file systems where clients keep state and configuration, and a null
 * device that crun may spoil. A client finds its default paths empty, and when the sandbox closes,
 * every daemon, container and mount is gone; the host keeps its own.
 *
 * The runtime stands at the path that docs/clients.md names, whichever runtime it is. Inside,
 * `unified` is out of sight: crun 1.8 takes a hybrid host for cgroup v2 by it.
 */

import { assertEquals } from "@std/assert";
import { command, type CommandOptions, type Output, until } from "../runtime.ts";

/** Where docs/clients.md installs runts. */
const INSTALLED = "/usr/local/sbin/runts";

/** Cgroups that clients make at the top of a hierarchy and leave behind, with empty ones in them. */
const CGROUPS = /^(libpod_parent|docker|conmon|buildah-.*|runts-clients-.*)$/;

/** What is fresh in the sandbox. /var/tmp is where podman and buildah unpack. */
const FRESH = [
  ...["/run", "/var/tmp", "/var/lib/containers", "/var/lib/containerd", "/var/lib/docker"],
  "/var/lib/cni",
  ...[
    "/etc/containers",
    "/etc/containerd",
    "/etc/docker",
    "/etc/cni",
    "/etc/profile.d",
    "/usr/local/sbin",
  ],
];

/** Process 1 in there: it reaps, and ends, with all others, when the tests do, however they end. */
const INIT = `
umount /sys/fs/cgroup/unified 2>/dev/null
for directory in "$@"; do mount -t tmpfs -o mode=755 tmpfs "$directory"; done
mkdir -p /run/home /run/lock
mknod -m 666 /run/null c 1 3 && mount --bind /run/null /dev/null
ip link set lo up
echo ready
cat > /dev/null
exit
`;

/** What every script can use: \`poll COMMAND\` repeats until it succeeds, for 15 s at most. */
export const PRELUDE = `
cd /run
poll() { for i in $(seq 150); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "in vain: $*"; return 1; }
`;

const ENV = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/run/home",
  TERM: "xterm",
};

export class Sandbox {
  private constructor(readonly name: string, private readonly holder: Deno.ChildProcess) {}

  /**
   * Opens a sandbox with a runtime, given by the path of its executable on the host. Scripts find
   * the name in $RUNTIME: cgroups are the host's, so what is open at a time must not share names.
   */
  static async open(name: string, runtime: string): Promise<Sandbox> {
    FRESH.forEach(makeDirectory);
    const holder = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child"],
        ...["--mount-proc", "--propagation", "slave", "sh", "-c", INIT, "sh", ...FRESH],
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = holder.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    assertEquals(new TextDecoder().decode(value), "ready\n");
    const sandbox = new Sandbox(name, holder);
    await sandbox.ok(`ln -s ${runtime} ${INSTALLED}`);
    return sandbox;
  }

  /** Runs a shell script inside. */
  run(script: string, options: CommandOptions = {}): Promise<Output> {
    const pid = this.holder.pid;
    return command([
      ...["nsenter", "-t", String(pid), "-m", "-n", "-i", "-u"],
      ...[`--pid=/proc/${pid}/ns/pid_for_children`, "--"],
      ...["sh", "-c", PRELUDE + script],
    ], { env: { ...ENV, RUNTIME: this.name }, clearEnv: true, timeout: 60_000, ...options });
  }

  /** As {@linkcode run}; throws unless the script succeeds. Gives standard output. */
  async ok(script: string, options: CommandOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(script, options);
    if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Writes a file inside. */
  async write(path: string, text: string): Promise<void> {
    await this.ok(`mkdir -p "$(dirname ${path})" && cat > ${path}`, { stdin: text });
  }

  /** A path inside, as the host reaches it. */
  path(inside: string): string {
    return `/proc/${this.holder.pid}/root${inside}`;
  }

  /** Ends every process inside; the mounts go with them. */
  async close(): Promise<void> {
    this.holder.kill("SIGKILL");
    await this.holder.status;
    await this.holder.stdin.abort();
  }
}

/** Directories of the host that were made to be mounted on. */
const made: string[] = [];

function makeDirectory(path: string): void {
  try {
    Deno.mkdirSync(path);
    made.push(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/**
 * To be called once all sandboxes are closed: removes what they needed on the host, and the empty
 * cgroups that clients left behind, but not the cgroups that were there before.
 */
export async function restoreHost(before: readonly string[]): Promise<void> {
  for (const path of made.splice(0)) Deno.removeSync(path);
  const known = new Set(before);
  await until("the cgroups of the clients are gone", () => {
    for (const path of clientCgroups()) {
      if (!known.has(path)) removeTree(path);
    }
    return clientCgroups().every((path) => known.has(path));
  });
}

/** The cgroups of clients in each hierarchy; those of the top may be of an earlier use. */
export function clientCgroups(): string[] {
  return hierarchies().flatMap((hierarchy) =>
    directories(hierarchy).filter((name) => CGROUPS.test(name))
      .flatMap((name) => tree(`${hierarchy}/${name}`))
  );
}

function tree(path: string): string[] {
  return [path, ...directories(path).flatMap((name) => tree(`${path}/${name}`))];
}

function hierarchies(): string[] {
  const top = "/sys/fs/cgroup";
  const names = directories(top);
  return [top, ...names.map((name) => `${top}/${name}`)];
}

function directories(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].filter((entry) => entry.isDirectory && !entry.isSymlink)
      .map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Removes a cgroup with those in it, as far as no process is left in them. */
function removeTree(path: string): void {
  for (const name of directories(path)) removeTree(`${path}/${name}`);
  try {
    Deno.removeSync(path);
  } catch {
    // A process is still ending in it; whoever polls comes back.
  }
}

/** Mounts of the host, which no client may change. */
export function hostMounts(): string[] {
  return Deno.readTextFileSync("/proc/self/mountinfo").trim().split("\n")
    .map((line) => line.split(" ").slice(3, 5).join(" "));
}
