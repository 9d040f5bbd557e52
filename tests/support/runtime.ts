/**
 * The runtime under test: dist/runts, or the peer that RUNTS names (`RUNTS=/usr/sbin/runc`), so
 * that a test of plain runtime behaviour is proven before it judges.
 */

import { basename, fromFileUrl } from "@std/path";

/** Directory of the project. */
export const PROJECT = fromFileUrl(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** Path of the executable under test. */
export const RUNTIME = Deno.env.get("RUNTS") ?? `${PROJECT}/dist/runts`;

/** Which runtime it is; what is not a known peer is runts. */
export const PEER: "runts" | "runc" | "crun" = peerOf(RUNTIME);
/** For tests of what runts alone does, or says in these words; a remark beside it tells which. */
export const RUNTS_ONLY = { ignore: PEER !== "runts" };

function peerOf(path: string): "runts" | "runc" | "crun" {
  const name = basename(path);
  return name === "runc" || name === "crun" ? name : "runts";
}

if (Deno.env.has("RUNTS_TEST_WARM") && PEER === "runts") shareBrain();

/**
 * With RUNTS_TEST_WARM every command of a file's tests goes to a warm brain of that file, which has its
 * namespaces; at the end it says how many it has carried out.
 */
function shareBrain(): void {
  const directory = Deno.makeTempDirSync({ prefix: "runts-brain-" });
  Deno.env.set("RUNTS_BRAIN", directory);
  const brain = new Deno.Command(RUNTIME, { args: ["serve"], stdin: "null" }).spawn();
  brain.unref();
  while (![...Deno.readDirSync(directory)].some(({ name }) => name === "socket"));
  addEventListener("unload", () => {
    const { stdout } = new Deno.Command(RUNTIME, { args: ["serve", "--status"] }).outputSync();
    console.log(/^commands: .*$/m.exec(new TextDecoder().decode(stdout))?.[0] ?? "no brain");
    brain.kill("SIGTERM");
    Deno.removeSync(directory, { recursive: true });
  });
}

/** Factor for all limits of time, more than 1 on hosts that are slow. */
const PATIENCE = Number(Deno.env.get("RUNTS_TEST_PATIENCE") ?? "1");

/** Since Linux 6.15 not only its parent learns how a process ended (PIDFD_GET_INFO). */
export const ENDINGS_ARE_TOLD = isKernelSince(6, 15);

export function isKernelSince(major: number, minor: number): boolean {
  const [own = 0, ownMinor = 0] = Deno.osRelease().split(".").map((part) => parseInt(part));
  return own > major || (own === major && ownMinor >= minor);
}

/** A message about an init that was killed, as it is wherever runts learns of that in time. */
export function asIfTold(message: string): string {
  return ENDINGS_ARE_TOLD ? message : message.replace(/: pid \d+ is gone/, ": killed by SIGKILL");
}

/** What a command did. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly clearEnv?: boolean;
  readonly cwd?: string;
  /** Milliseconds after which the command is killed and the test fails; default two minutes. */
  readonly timeout?: number;
}

/**
 * crun 1.8 takes a hybrid host for cgroup v2 by the look of the `unified` mount, so it is run in a
 * mount namespace without it.
 */
const HIDE_UNIFIED = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@"';

/** The command line that runs an executable, with what a peer needs around it. */
export function commandLine(executable: string, args: readonly string[]): string[] {
  if (peerOf(executable) !== "crun" || !isHybrid()) return [executable, ...args];
  return [
    ...["unshare", "-m", "--propagation", "slave", "sh", "-c", HIDE_UNIFIED],
    ...[executable, ...args],
  ];
}

function isHybrid(): boolean {
  try {
    return Deno.statSync("/sys/fs/cgroup/unified").isDirectory;
  } catch {
    return false;
  }
}

const WITH_INPUT = 'out=$0; exec "$@" >"$out/1" 2>"$out/2"';
/**
 * With a null device of its own: crun 1.8 gives its standard input to the container's root, which
 * would then own the host's.
 */
const WITHOUT_INPUT = `out=$0; null=$out/null
mknod -m 666 "$null" c 1 3 2>/dev/null && true 2>/dev/null <"$null" || null=/dev/null
exec "$@" <"$null" >"$out/1" 2>"$out/2"`;

/**
 * Runs a command to its end. Its output goes to files, because a container that stays behind keeps
 * its descriptors: a pipe would not come to its end.
 */
export async function command(
  line: readonly string[],
  options: CommandOptions = {},
): Promise<Output> {
  const directory = Deno.makeTempDirSync({ prefix: "runts-output-" });
  const process = new Deno.Command("/bin/sh", {
    args: ["-c", options.stdin === undefined ? WITHOUT_INPUT : WITH_INPUT, directory, ...line],
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "null",
    stderr: "null",
    ...(options.env && { env: { ...options.env } }),
    ...(options.clearEnv && { clearEnv: true }),
    ...(options.cwd && { cwd: options.cwd }),
  }).spawn();
  const timer = setTimeout(() => process.kill("SIGKILL"), PATIENCE * (options.timeout ?? 120_000));
  try {
    if (options.stdin !== undefined) await feed(process.stdin, options.stdin);
    const { code } = await process.status;
    const [stdout, stderr] = ["1", "2"].map((name) =>
      Deno.readTextFileSync(`${directory}/${name}`)
    );
    return { code, stdout: stdout!, stderr: stderr! };
  } finally {
    clearTimeout(timer);
    Deno.removeSync(directory, { recursive: true });
  }
}

async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

/**
 * Waits until a condition holds; throws after the time-out (milliseconds), which is for hangs. A condition that looks at a
 * file or a process which is not there (ENOENT, ESRCH) does not hold yet: whoever makes it may not have come so far.
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeout = 60_000,
): Promise<void> {
  const end = performance.now() + PATIENCE * timeout;
  let missing = "";
  const now = async () => {
    try {
      return await holds();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      missing = ` (${error.message})`;
      return false;
    }
  };
  while (!(await now())) {
    if (performance.now() > end) {
      throw new Error(`waited ${PATIENCE * timeout} ms in vain until ${what}${missing}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
