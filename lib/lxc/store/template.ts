/** Templates: programs that fill the root filesystem of a new container, called as LXC calls them. */

import { quote, RuntsError } from "../../base/errors.ts";
import { isDirectory, statFile } from "../../base/files.ts";
import { nearest } from "../../base/nearest.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { signalName } from "../../spec/values/signals.ts";
import { mapUsers, type Users } from "./users.ts";

/** Where LXC's are installed. */
const DIRECTORIES = ["/usr/share/lxc/templates", "/usr/local/share/lxc/templates"];
const PREFIX = "lxc-";

/** The program of a template, which is named, or given by its absolute path. */
export function findTemplate(name: string): string {
  const places = name.startsWith("/")
    ? [name]
    : DIRECTORIES.map((directory) => `${directory}/${PREFIX}${name}`);
  const found = places.find((place) => statFile(place)?.isFile);
  if (found !== undefined) return found;
  const near = name.startsWith("/") ? undefined : nearest(name, templateNames());
  throw new RuntsError(`template ${quote(name)} does not exist`, {
    cause: new Error(`there is no ${places.map((place) => quote(place)).join(" and no ")}`),
    ...(near !== undefined && { hint: `did you mean ${quote(near)}?` }),
  });
}

function templateNames(): string[] {
  return DIRECTORIES.filter(isDirectory).flatMap((directory) =>
    Array.from(Deno.readDirSync(directory), ({ name }) => name.slice(PREFIX.length))
  );
}

/** What a template is called for. */
interface TemplateCall {
  readonly program: string;
  /** Directory of the container, and its name. */
  readonly directory: string;
  readonly name: string;
  readonly rootfs: string;
  /** Of the template's own. */
  readonly args: readonly string[];
  /** It runs in the container's user namespace. */
  readonly users: Users | undefined;
}

/** Runs a template to its end. Throws RuntsError when it fails. */
export async function runTemplate(
  runtime: LoadedRuntime,
  { program, directory, name, rootfs, args, users }: TemplateCall,
  signal: AbortSignal | undefined,
): Promise<void> {
  const mapped = users === undefined
    ? []
    : ["--mapped-uid", String(users.uids.own), "--mapped-gid", String(users.gids.own)];
  const { code, signal: killer } = await runtime.body.runProgram({
    path: program,
    args: [
      program,
      ...[`--path=${directory}`, `--name=${name}`, `--rootfs=${rootfs}`],
      ...args,
      ...mapped,
    ],
    env: runtime.caller.environment(),
    // What it mounts is nobody else's.
    mounts: true,
    ...(users && { mapUsers: mapUsers(runtime, users) }),
  }, signal);
  if (code === 0 && killer === 0) return;
  throw new RuntsError(`template ${quote(program)}`, {
    cause: new Error(killer === 0 ? `exit status ${code}` : `killed by SIG${signalName(killer)}`),
  });
}

/** What stands above the lines of a configuration, about the template that made it. */
export function templateHeader(program: string, args: readonly string[]): string {
  return [
    `# Template used to create this container: ${program}`,
    ["# Parameters passed to the template:", ...args].join(" "),
    "# For additional config options, please look at lxc.container.conf(5)",
    "",
    "# Uncomment the following line to support nesting containers:",
    "#lxc.include = /usr/share/lxc/config/nesting.conf",
    "# (Be aware this has security implications)",
    "",
    "",
  ].join("\n");
}
