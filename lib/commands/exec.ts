import { defineCommand } from "../cli/types.ts";
import { exec } from "../container/exec.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { CONTAINER, PROCESS_OPTIONS } from "./shared.ts";

export const command = defineCommand({
  name: "exec",
  group: "live",
  summary: "run one more program in a running container",
  description: [
    "The exit code is that of the program, 128 and the number of the signal that ended it, or 255 " +
    "when it could not be run. Words from COMMAND on belong to the program.",
  ],
  arguments: {
    id: CONTAINER,
    args: {
      value: "COMMAND",
      description: "the program and its arguments; not with --process",
      optional: true,
      rest: "command",
    },
  },
  options: {
    process: {
      short: "p",
      value: "FILE",
      description: "the process document (process.json)",
      complete: "file",
    },
    tty: { short: "t", description: "give it a terminal" },
    detach: { short: "d", description: "return as soon as the program runs" },
    user: { short: "u", value: "UID[:GID]", description: "user and group in the container" },
    additionalGids: {
      short: "g",
      value: "GID",
      repeat: true,
      description: "one more group",
    },
    env: {
      short: "e",
      value: "NAME=VALUE",
      repeat: true,
      description: "an environment variable",
    },
    cwd: { value: "DIR", description: "its working directory in the container" },
    cap: { short: "c", value: "CAP", repeat: true, description: "one more capability" },
    noNewPrivs: { description: "it cannot gain privileges by executing" },
    apparmor: { value: "PROFILE", description: "its AppArmor profile" },
    processLabel: { value: "LABEL", description: "its SELinux label" },
    cgroup: {
      value: "[CONTROLLER:]PATH",
      repeat: true,
      description: "a cgroup below that of the container",
    },
    ignorePaused: { description: "also if the container is paused; it waits for resume" },
    supervised: {
      description: "a supervised container's monitor notes how it ends; see wait and attach",
    },
    name: { value: "NAME", description: "its name for wait and attach; implies --supervised" },
    interactive: { short: "i", description: "keep its input open; with --supervised" },
    ...PROCESS_OPTIONS,
    noSubreaper: { description: "orphans are not for runts to reap", hidden: true },
  },
  examples: [
    { text: "a shell", command: "runts exec -t web sh" },
    { text: "one whose end is kept", command: "runts exec --name backup --detach web backup.sh" },
    { text: "as another user", command: "runts exec -u 1000:1000 -e LANG=C web id" },
  ],
  async run({ runtime, args, options, print, signal }) {
    const { cap, additionalGids, env, tty, supervised, name, interactive, ...others } = options;
    const wanted = {
      ...args,
      ...others,
      ...(env && { env: variables(args.id, env) }),
      terminal: tty === true,
      adoptOrphans: !options.noSubreaper,
      ...(signal && { signal }),
      ...(cap && { caps: cap }),
      ...(additionalGids && { additionalGids: additionalGids.flatMap(groups) }),
    };
    if (!supervised && name === undefined) return await exec(runtime, wanted);
    const { runSupervised } = await import("./exec_supervised.ts");
    const own = { ...(name !== undefined && { name }), ...(interactive && { interactive }) };
    return await runSupervised(runtime, { ...wanted, ...own }, print);
  },
});

/** `NAME=VALUE` each; of those with the same name the last one counts. */
function variables(id: string, entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => {
    const end = entry.indexOf("=");
    if (end > 0) return [entry.slice(0, end), entry.slice(end + 1)];
    throw new RuntsError(`environment variable ${quote(entry)} is not of the form NAME=VALUE`, {
      command: `exec ${quote(id)}`,
      exitCode: 255,
    });
  }));
}

/** `10` or `10,20`. */
function groups(text: string): number[] {
  return text.split(",").map((word) => {
    if (/^\d{1,10}$/.test(word)) return Number(word);
    throw new RuntsError(`option "--additional-gids": ${quote(word)} is not a group id`, {
      command: "exec",
      exitCode: 255,
    });
  });
}
