/** What a process does to the file system and the network, by strace(1). */

import { command, type CommandOptions, type Output } from "./runtime.ts";

/** One system call: its name, its arguments as strace prints them, and its result. */
interface Call {
  name: string;
  args: string;
  result: string;
}

const TRACED = "%file,%network,clone,clone3,ftruncate,write";

/** Joins `CALL <unfinished ...>` and `<... CALL resumed>`, and drops what is no call. */
function* wholeLines(text: string): Generator<[pid: string, line: string]> {
  const pending = new Map<string, string>();
  for (const raw of text.split("\n")) {
    const [, pid, line] = /^(\d+) +(.*)$/.exec(raw) ?? [];
    if (pid === undefined || line === undefined) continue;
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(line);
    if (line.endsWith("<unfinished ...>")) {
      pending.set(pid, line.slice(0, -"<unfinished ...>".length));
    } else if (resumed) {
      yield [pid, (pending.get(pid) ?? "") + resumed[1]];
    } else {
      yield [pid, line];
    }
  }
}

/** The calls of the traced process and its threads, without those of its child processes. */
function callsOfProcess(trace: string): Call[] {
  const calls: Call[] = [];
  const lines = [...wholeLines(trace)];
  const own = new Set(lines[0] ? [lines[0][0]] : []);
  for (const [, line] of lines) {
    const thread = /^clone3?\(.*CLONE_THREAD.* = (\d+)/.exec(line);
    if (thread) own.add(thread[1]!);
  }
  for (const [pid, line] of lines) {
    const [, name, args, result] = /^(\w+)\((.*)\) += (.*)$/.exec(line) ?? [];
    if (own.has(pid) && name !== undefined) calls.push({ name, args: args!, result: result! });
  }
  return calls;
}

/** Runs a command line under strace. */
export async function trace(
  line: readonly string[],
  options: CommandOptions = {},
): Promise<{ code: number; stdout: string; stderr: string; calls: Call[] }> {
  const file = Deno.makeTempFileSync({ prefix: "runts-trace-" });
  try {
    // With -b, strace lets go of a child at its exec: a container that stays would keep it.
    const follow = ["-f", "-b", "execve"];
    const strace = ["strace", ...follow, "-y", "-s", "256", "-e", `trace=${TRACED}`, "-o", file];
    const output = await command([...strace, ...line], options);
    return { ...output, calls: callsOfProcess(Deno.readTextFileSync(file)) };
  } finally {
    Deno.removeSync(file);
  }
}

const CHANGES =
  /^(mkdir|rename|unlink|rmdir|link|symlink|mknod|chmod|fchmodat|chown|fchownat|lchown|truncate|utime|creat|setxattr|removexattr)/;

/** The paths that calls changed, or opened for a change, with success. */
export function changedPaths(calls: Call[]): string[] {
  const changes = calls.filter(({ name, args, result }) =>
    !result.startsWith("-1") &&
    (CHANGES.test(name) || (/^openat2?$|^open$/.test(name) && /O_(WRONLY|RDWR|CREAT)/.test(args)))
  );
  return changes.flatMap(({ args, result }) => {
    const opened = /^\d+<(.*?)>/.exec(result)?.[1];
    return opened !== undefined ? [opened] : pathsOf(args);
  });
}

/** Quoted paths; relative ones are put behind the directory that strace shows for the call. */
function pathsOf(args: string): string[] {
  const found: string[] = [];
  for (const match of args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)"/g)) {
    found.push(match[2]!.startsWith("/") ? match[2]! : `${match[1] ?? "."}/${match[2]}`);
  }
  return found;
}

/** What changes the host, of the calls that runts makes itself. */
export const CHANGING =
  "mkdir mknodat chmod rename unlink unlinkat rmdir flock kill pidfd_send_signal clone"
    .split(" ");

/**
 * Kills a command right before its main thread makes the nth call of a name; of those on `path`, if
 * there is one. Gives whether it came to that.
 */
export async function killBefore(
  line: readonly string[],
  name: string,
  nth: number,
  path?: string,
): Promise<boolean> {
  const inject = ["-e", `trace=${name}`, "-e", `inject=${name}:signal=SIGKILL:when=${nth}`];
  const only = path === undefined ? [] : ["-P", path];
  const { code } = await command(["strace", "-o", "/dev/null", ...inject, ...only, ...line]);
  return code === 137;
}

/** Has the nth call of a name fail in each process of a command; `failed`: whether there was one. */
export async function failCall(
  line: readonly string[],
  name: string,
  nth: number,
  errno: string,
): Promise<Output & { failed: boolean }> {
  const file = Deno.makeTempFileSync({ prefix: "runts-trace-" });
  try {
    const inject = ["-e", `trace=${name}`, "-e", `inject=${name}:error=${errno}:when=${nth}`];
    const output = await command(["strace", "-f", "-o", file, ...inject, ...line]);
    return { ...output, failed: Deno.readTextFileSync(file).includes("(INJECTED)") };
  } finally {
    Deno.removeSync(file);
  }
}
