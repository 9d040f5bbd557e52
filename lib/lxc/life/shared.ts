/** Namespaces of other containers, which are known when those run. */

import { quote, RuntsError } from "../../base/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Namespace, NamespaceType } from "../../spec/types/config.ts";
import type { SystemPlan } from "../plan/types.ts";
import { systemId } from "./record.ts";
import { systemNow } from "./state.ts";

/** Names of namespaces in /proc/PID/ns where they are others. */
const FILES: Readonly<Partial<Record<NamespaceType, string>>> = { mount: "mnt", network: "net" };

/** A namespace that is shared: with a container by its name or path, or with a process by its pid. */
export interface Shared {
  /** Which of them. */
  readonly type: NamespaceType;
  /** Name, path or pid. */
  readonly from: string;
}

/** The plan with the paths of namespaces that are shared, and of those that the caller adds. */
export function withShared(
  runtime: Runtime,
  plan: SystemPlan,
  lxcpath: string,
  added: readonly Shared[] = [],
): SystemPlan {
  const shared = plan.beyond.namespaces.shared.map(({ type, container }, index) =>
    namespaceOf(runtime, lxcpath, { type, from: container }, `beyond.namespaces.shared[${index}]`)
  );
  const further = added.map((one) => namespaceOf(runtime, lxcpath, one));
  const { linux } = plan.spec;
  const replaced = new Set(further.map(({ type }) => type));
  const own = (linux?.namespaces ?? []).filter(({ type }) => !replaced.has(type));
  const namespaces = [...own, ...shared, ...further];
  return { ...plan, spec: { ...plan.spec, linux: { ...linux, namespaces } } };
}

function namespaceOf(
  runtime: Runtime,
  lxcpath: string,
  { type, from }: Shared,
  configPath?: string,
): Namespace {
  const file = FILES[type] ?? type;
  if (/^\d+$/.test(from)) return { type, path: `/proc/${from}/ns/${file}` };
  const slash = from.lastIndexOf("/");
  const place = slash < 0 ? lxcpath : from.slice(0, slash);
  const { pid } = systemNow(runtime, systemId(runtime, place, from.slice(slash + 1)));
  if (pid !== undefined) return { type, path: `/proc/${pid}/ns/${file}` };
  throw new RuntsError(
    `container ${quote(from)}, whose ${type} namespace is shared, does not run`,
    {
      ...(configPath !== undefined && { configPath }),
    },
  );
}
