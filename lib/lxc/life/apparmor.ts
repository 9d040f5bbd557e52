/** AppArmor: which profile a container gets, and loading the one that is made for it. */

import { ENOENT } from "../../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../../base/errors.ts";
import { readFile, statFile } from "../../base/files.ts";
import type { LoadedRuntime, Runtime } from "../../runtime/runtime.ts";
import type { StateDirectory } from "../../state/directory.ts";
import { profileName, profileText } from "../plan/apparmor.ts";
import type { SystemPlan } from "../plan/types.ts";

/** What distributions load for containers of LXC. */
const USUAL = "lxc-container-default-cgns";
const KERNEL = "/sys/kernel/security/apparmor";
/** In the state directory. */
const FILE = "apparmor";
const TOOL = "apparmor_parser";
const PLACE = { configPath: "beyond.security.apparmor" } as const;

/** The plan with the name of its profile. Where the host has no AppArmor, there is none. */
export function withProfile({ caller }: Runtime, plan: SystemPlan): SystemPlan {
  const { profile } = plan.beyond.security.apparmor;
  if (profile !== "generated" && profile !== "default") return plan;
  if (statFile(KERNEL) === undefined) return plan;
  if (profile === "default") return isLoaded(USUAL) ? confined(plan, USUAL) : plan;
  if (caller.uid === 0) return confined(plan, profileName(plan));
  throw new RuntsError("only root loads profiles of AppArmor", {
    ...PLACE,
    hint: "use lxc.apparmor.profile = unconfined, or the name of a profile that is loaded",
  });
}

function isLoaded(name: string): boolean {
  return readFile(`${KERNEL}/profiles`)?.split("\n").some((line) =>
    line.startsWith(`${name} (`)
  ) ===
    true;
}

function confined(plan: SystemPlan, apparmorProfile: string): SystemPlan {
  const { spec } = plan;
  return { ...plan, spec: { ...spec, process: { ...spec.process!, apparmorProfile } } };
}

/** Loads the profile that is made for a container, if it has one. */
export async function loadProfile(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
): Promise<void> {
  if (!hasOwn(plan)) return;
  directory.replace(FILE, profileText(plan));
  await parse(runtime, "--replace", directory);
}

/** Unloads it. */
export async function unloadProfile(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
): Promise<void> {
  if (!hasOwn(plan) || directory.readText(FILE) === undefined) return;
  await parse(runtime, "--remove", directory);
}

function hasOwn(plan: SystemPlan): boolean {
  const { apparmor } = plan.beyond.security;
  return apparmor.profile === "generated" && plan.spec.process?.apparmorProfile !== undefined;
}

async function parse(
  { body }: LoadedRuntime,
  action: "--replace" | "--remove",
  directory: StateDirectory,
): Promise<void> {
  const ended = await body.runTool(TOOL, ["--skip-cache", action, directory.file(FILE)])
    .catch((cause) => {
      const hint = errnoOf(cause) === ENOENT
        ? "install the package apparmor, or use lxc.apparmor.profile = unconfined"
        : undefined;
      throw new RuntsError(`run ${TOOL}`, { ...PLACE, cause, hint });
    });
  if (ended.code === 0) return;
  const said = new TextDecoder().decode(ended.stderr).trim().split("\n")[0];
  throw new RuntsError(`${TOOL} ${action}`, { ...PLACE, cause: new Error(quote(said)) });
}
