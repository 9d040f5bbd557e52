/** The environment of the program. */

import type { ProcessOptions } from "./plan.ts";

/** Where the notify socket of the host appears in the container. */
export const NOTIFY_DIRECTORY = "/run/notify";

/** Where execvp(3) looks when there is no PATH. */
const DEFAULT_PATH = "/bin:/usr/bin";

export interface Environment {
  readonly env: readonly string[];
  /** PATH for the search of the program. */
  readonly search: string;
  /** HOME is missing or empty: it is to be taken from the user database. */
  readonly needsHome: boolean;
}

/**
 * Of entries with the same name the last one counts. What socket activation and the notify socket
 * say replaces what the configuration says.
 */
export function composeEnvironment(
  configured: readonly string[],
  options: Pick<ProcessOptions, "listen"> & { readonly system?: unknown },
  notify: boolean,
): Environment {
  const values = new Map<string, string>();
  for (const entry of configured) {
    const end = entry.indexOf("=");
    values.set(end < 0 ? entry : entry.slice(0, end), entry);
  }
  const set = (name: string, value: string) => values.set(name, `${name}=${value}`);
  if (options.listen) {
    values.delete("LISTEN_PID");
    set("LISTEN_FDS", String(options.listen.fds));
    if (options.listen.names !== undefined) set("LISTEN_FDNAMES", options.listen.names);
  }
  if (notify) set("NOTIFY_SOCKET", `${NOTIFY_DIRECTORY}/notify.sock`);
  // The init of a system has what it is given, and nothing else.
  const needsHome = !options.system && (values.get("HOME") ?? "HOME=") === "HOME=";
  if (needsHome) values.delete("HOME");
  const search = values.get("PATH")?.slice("PATH=".length) ?? DEFAULT_PATH;
  return { env: [...values.values()], search, needsHome };
}
