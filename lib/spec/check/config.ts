/**
 * Whether a document is a configuration of the runtime specification 1.3 that runts can follow:
 * types, ranges, names, duplicates and combinations. It looks at the document alone, not at the
 * host. Unknown properties are ignored, as the specification asks.
 */

import { quote } from "../../base/errors.ts";
import type { Finding, Guess, Walk } from "./findings.ts";
import { HOOK_OUTPUTS } from "../values/hook_outputs.ts";
import { boolean, findingsOf, isText, type ObjectSchema, someText, text } from "./schema.ts";
import { sysctlPath } from "../values/sysctl.ts";
import type { Spec } from "../types/config.ts";
import { LINUX } from "./linux.ts";
import { MOUNT } from "./mounts.ts";
import { HOOKS, PROCESS } from "./process.ts";
import { RESOURCES } from "./resources.ts";

export type { Finding, Rule } from "./findings.ts";

/** The specification has these for others than Linux; they are left alone. */
const OTHER_PLATFORMS = { freebsd() {}, solaris() {}, vm() {}, windows() {}, zos() {} };

/** config.md, "Configuration". */
const SPEC: ObjectSchema = {
  required: ["ociVersion", "root"],
  fields: {
    ociVersion: version,
    root: { required: ["path"], fields: { path: someText, readonly: boolean } },
    mounts: { items: MOUNT },
    process: PROCESS,
    hostname: utsName,
    domainname: utsName,
    hooks: HOOKS,
    annotations: { keys: annotation, values: text },
    linux: LINUX,
    ...OTHER_PLATFORMS,
  },
  rules: [{ of: ["domainname", "linux"], check: domainnameOnce }],
};

/**
 * All faults of a config.json, in the order of the specification. Takes any JSON value. With `meant`
 * unknown properties are told, too, and what they were meant to be.
 */
export function validate(document: unknown, meant?: Guess): Finding[] {
  return findingsOf(SPEC, document, meant);
}

/** All faults of mounts for a container that exists, in the place of those of its configuration. */
export function validateMounts(document: unknown, spec: Spec): Finding[] {
  return findingsOf({ ...SPEC, required: [] }, { linux: spec.linux ?? {}, mounts: document ?? "" })
    .filter(({ path }) => path.startsWith("mounts"));
}

/** All faults of a resources document (`update --resources`). */
export function validateResources(document: unknown, meant?: Guess): Finding[] {
  return findingsOf(RESOURCES, document, meant);
}

/** SemVer 2.0.0; every 1.x, because newer ones only add properties. */
function version(value: unknown, walk: Walk): void {
  if (!isText(value, walk)) return;
  const match = /^(0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:[-+][\dA-Za-z-]+(?:[.+][\dA-Za-z-]+)*)?$/
    .exec(value);
  if (!match) walk.report("version", value, "is not a version as 1.3.0");
  else if (match[1] !== "1") {
    walk.report("version", value, "is not supported: only versions 1.x are");
  }
}

/** Both set the same; of the host's name the property alone does, as with runc and crun. */
function domainnameOnce({ domainname, linux }: Spec, walk: Walk): void {
  if (!domainname) return;
  for (const [name, value] of Object.entries(linux?.sysctl ?? {})) {
    if (sysctlPath(name) !== "kernel/domainname" || value === domainname) continue;
    const fault = `is another value than ${quote(domainname)} of the property domainname`;
    walk.report("combination", value, fault, "linux", "sysctl", name);
  }
}

/** hostname and domainname: sethostname(2), __NEW_UTS_LEN. */
function utsName(value: unknown, walk: Walk): void {
  if (!isText(value, walk) || value === "") return;
  if (value.length * 3 > 64 && new TextEncoder().encode(value).length > 64) {
    walk.report("range", value, "is longer than 64 bytes");
  }
  // The specification would allow a namespace that is the runtime's; runc and crun refuse it,
  // for it would rename the host.
  if (walk.namespace("uts") === "none") {
    walk.report("combination", value, "needs a uts namespace in linux.namespaces");
  }
}

function annotation(key: string, value: unknown, walk: Walk): void {
  if (key === "") walk.report("name", value, "has an empty key");
  const isPath = key === HOOK_OUTPUTS.stdout || key === HOOK_OUTPUTS.stderr;
  if (isPath && typeof value === "string" && !value.startsWith("/")) {
    walk.report("format", value, "is not an absolute path");
  }
}
