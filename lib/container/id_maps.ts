/**
 * The id maps of a new user namespace (user_namespaces(7)). Real root writes them itself; an
 * ordinary user may map its own id alone, and needs newuidmap(1) and newgidmap(1) for more.
 */

import { EPERM } from "../errno.ts";
import { errnoOf, quote, reason, RuntsError } from "../errors.ts";
import type { IdMapping, Linux } from "../spec/types.ts";

interface Kind {
  readonly file: "uid_map" | "gid_map";
  readonly tool: "newuidmap" | "newgidmap";
  readonly subordinate: "/etc/subuid" | "/etc/subgid";
  readonly configPath: "linux.uidMappings" | "linux.gidMappings";
}

const UID: Kind = {
  file: "uid_map",
  tool: "newuidmap",
  subordinate: "/etc/subuid",
  configPath: "linux.uidMappings",
};
const GID: Kind = {
  file: "gid_map",
  tool: "newgidmap",
  subordinate: "/etc/subgid",
  configPath: "linux.gidMappings",
};

/** The text of uid_map or gid_map: `inside outside length` a line. */
export function formatMap(mappings: readonly IdMapping[]): string {
  return mappings.map((map) => `${map.containerID} ${map.hostID} ${map.size}\n`).join("");
}

/** Whether setgroups(2) has to be denied in the namespace: a single id mapped by its owner. */
export function deniesSetgroups(linux: Linux | undefined): boolean {
  return Deno.uid() !== 0 && isOwn(linux?.gidMappings ?? [], Deno.gid());
}

/** Writes the maps of the process that waits for them. */
export async function writeIdMaps(pid: number, linux: Linux): Promise<void> {
  const gids = linux.gidMappings ?? [];
  await writeMap(pid, UID, linux.uidMappings ?? [], Deno.uid());
  if (deniesSetgroups(linux)) write(`/proc/${pid}/setgroups`, "deny", GID);
  await writeMap(pid, GID, gids, Deno.gid());
}

async function writeMap(
  pid: number,
  kind: Kind,
  mappings: readonly IdMapping[],
  own: number | null,
): Promise<void> {
  if (mappings.length === 0) return;
  if (Deno.uid() === 0 || isOwn(mappings, own)) {
    return write(`/proc/${pid}/${kind.file}`, formatMap(mappings), kind);
  }
  await runTool(pid, kind, mappings);
}

function isOwn(mappings: readonly IdMapping[], own: number | null): boolean {
  return mappings.length === 1 && mappings[0]!.size === 1 && mappings[0]!.hostID === own;
}

function write(file: string, text: string, kind: Kind): void {
  try {
    Deno.writeTextFileSync(file, text, { create: false });
  } catch (cause) {
    throw new RuntsError(`write ${quote(text.trim())} to ${quote(file)}`, {
      configPath: kind.configPath,
      cause,
      ...(errnoOf(cause) === EPERM && { hint: whyRefused() }),
    });
  }
}

async function runTool(pid: number, kind: Kind, mappings: readonly IdMapping[]): Promise<void> {
  const args = [pid, ...mappings.flatMap((map) => [map.containerID, map.hostID, map.size])];
  let output: Deno.CommandOutput;
  try {
    const command = new Deno.Command(kind.tool, { args: args.map(String), stdin: "null" });
    output = await command.output();
  } catch (cause) {
    throw new RuntsError(`run ${kind.tool}`, {
      configPath: kind.configPath,
      cause,
      hint: "an ordinary user can map more than its own id only with the uidmap package",
    });
  }
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr).trim();
  throw new RuntsError(`${kind.tool} ${args.join(" ")}`, {
    configPath: kind.configPath,
    cause: new Error(said),
    hint: whyNotAllowed(kind),
  });
}

/** What /etc/subuid or /etc/subgid has for the caller. */
function whyNotAllowed(kind: Kind): string {
  const user = Deno.env.get("USER") ?? "";
  const uid = String(Deno.uid());
  let lines: string[];
  try {
    lines = Deno.readTextFileSync(kind.subordinate).split("\n");
  } catch (cause) {
    return `${kind.subordinate}: ${reason(cause)}`;
  }
  const own = lines.filter((line) => [user, uid].includes(line.split(":")[0] ?? ""));
  if (own.length === 0) return `${kind.subordinate} has no entry for uid ${uid}`;
  const ranges = own.map((line) => line.split(":").slice(1).join("+"));
  return `${kind.subordinate} allows uid ${uid} the ranges ${ranges.join(", ")}`;
}

/** Host policies that make a kernel refuse the maps of an ordinary user. */
export function whyRefused(): string | undefined {
  if (sysctl("kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)";
  }
  if (sysctl("user/max_user_namespaces") === "0") return "user.max_user_namespaces is 0";
  if (sysctl("kernel/unprivileged_userns_clone") === "0") {
    return "kernel.unprivileged_userns_clone is 0";
  }
  return undefined;
}

function sysctl(name: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/sys/${name}`).trim();
  } catch {
    return undefined;
  }
}
