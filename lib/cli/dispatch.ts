import { decodeBytes } from "../base/bytes.ts";

/** Runs one command with the whole command line; resolves to the exit code. */
export type Run = (args: string[]) => Promise<number>;

/** Global options that take the following word as their value. */
const WITH_VALUE = /^--?(root|rootless|log|log-format|log-level|criu|cgroup-manager)$/;
const HELP = /^(-h|-\?|--?help)$/;
const VERSION = /^(-v|-V|--?version)$/;

/**
 * The verb of a command line: the first word that is neither a global option nor the value of
 * one. Without a verb it is "help" or "version".
 */
export function findVerb(args: readonly string[]): string {
  const place = verbPlace(args);
  const word = args[place] ?? "--help";
  if (HELP.test(word)) return "help";
  return VERSION.test(word) ? "version" : word;
}

/** Where the verb stands, or the option that stands for one; the length where there is none. */
export function verbPlace(args: readonly string[]): number {
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (WITH_VALUE.test(word)) i++;
    else if (HELP.test(word) || VERSION.test(word)) return i;
    else if (word === "-" || !word.startsWith("-")) return i;
  }
  return args.length;
}

/**
 * Loads the code of one command only and hands it all of `args`. An unknown verb goes to "help",
 * which reports it.
 *
 * @param load code of a verb, or undefined where there is no such verb
 * @param calledAs what runts was called as, which may be a link under the name of one of LXC's commands, or of
 * a shim of containerd
 * @returns the exit code
 */
export async function dispatch(
  args: string[],
  load: (verb: string) => Promise<Run> | undefined,
  calledAs = "",
): Promise<number> {
  const words = wordsOf(withBytes(args), calledAs);
  const run = await (load(findVerb(words)) ?? load("help"));
  return run === undefined ? 1 : await run(words);
}

/** The command line with the words that a link stands for. */
export function wordsOf(args: readonly string[], calledAs: string): string[] {
  const link = SHIM.test(calledAs) ? ["shim"] : LINK.exec(calledAs)?.slice(1) ?? [];
  return [...link, ...args];
}

/** `containerd-shim-runts-v2`; one that stands in for runc's has its name. */
const SHIM = /^(?:.*\/)?containerd-shim-[a-z]+-v[0-9]+$/s;
/** `lxc-info`, with a path in front. */
const LINK = /^(?:.*\/)?(lxc)-([a-z][a-z-]*)$/s;

/** Deno puts U+FFFD in the place of what is no UTF-8; the kernel keeps it (proc_pid_cmdline(5)). */
function withBytes(args: string[]): string[] {
  if (!args.some((word) => word.includes("\ufffd"))) return args;
  const words = decodeBytes(Deno.readFileSync("/proc/self/cmdline")).split("\0");
  return words.slice(-1 - args.length, -1);
}
