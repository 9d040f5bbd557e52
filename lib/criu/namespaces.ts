/** Namespaces that a container shares: they are not in its image, and must be there to restore it. */

import { quote, RuntsError } from "../base/errors.ts";
import { statFile } from "../base/files.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import type { NamespaceJoin } from "../plan/plan_writer.ts";
import type { Spec } from "../spec/types/config.ts";
import type { CriuRequest } from "./worker.ts";

/** Those that criu takes open, its words for them, and the names that all runtimes give them in images. */
const GIVEN = {
  network: { name: "net", key: "extRootNetNS" },
  pid: { name: "pid", key: "extRootPidNS" },
} as const;

/** Those that criu joins by itself, and its words for them. */
const JOINED: Readonly<Record<string, string>> = {
  ipc: "ipc",
  uts: "uts",
  time: "time",
  user: "user",
};

/** What criu must leave out of an image. */
export function externalNamespaces({ linux }: Spec, pid: number): string[] {
  return (linux?.namespaces ?? []).flatMap(({ type, path }) => {
    if (!path || (type !== "network" && type !== "pid")) return [];
    const { name, key } = GIVEN[type];
    const inode = statFile(`/proc/${pid}/ns/${name}`)?.ino;
    return inode ? [`${name}[${inode}]:${key}`] : [];
  });
}

/** Shared namespaces of a container that is to be restored. */
interface SharedNamespaces {
  /** To be given to criu, in this order. */
  readonly open: readonly NamespaceJoin[];
  /** criu's words for them. */
  readonly keys: readonly string[];
  readonly request: CriuRequest;
}

/** What becomes of the namespaces that the configuration gives by their paths. */
export function sharedNamespaces({ linux }: Spec): SharedNamespaces {
  const open: NamespaceJoin[] = [];
  const keys: string[] = [];
  const joinNamespaces: { type: string; path: string }[] = [];
  linux?.namespaces?.forEach(({ type, path }, index) => {
    if (!path) return;
    const from = `linux.namespaces[${index}].path`;
    if (type === "network" || type === "pid") {
      open.push({ kind: NAMESPACE_FLAGS[type], path, from });
      keys.push(GIVEN[type].key);
    } else if (JOINED[type] !== undefined) {
      joinNamespaces.push({ type: JOINED[type], path });
    } else {
      throw new RuntsError(
        `criu cannot restore into a ${type} namespace that is there: ${quote(path)}`,
        {
          configPath: from,
        },
      );
    }
  });
  return { open, keys, request: { joinNamespaces } };
}
