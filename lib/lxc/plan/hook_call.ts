/** Hooks of LXC's stages: what they are called with, as data (lxc.container.conf(5)). */

import type { HookStage } from "../config/keys.ts";
import type { NetDevicePlan, SystemPlan } from "./types.ts";

/** What is known by the time that a hook runs. */
export interface HookFacts {
  /** Init's, from start-host on. */
  readonly pid?: number;
  /** What follows: stop and post-stop alone. */
  readonly target?: "stop" | "reboot";
  /** Paths of the namespaces that are held, by LXC's names: the stage stop alone. */
  readonly namespaces?: Readonly<Record<string, string>>;
  /** The container that is cloned: the stage clone alone. */
  readonly source?: string;
  /** Further arguments: the stage clone alone. */
  readonly extra?: readonly string[];
}

/** A program with its arguments, and what is added to the environment of whoever runs it. */
interface HookCall {
  readonly args: readonly string[];
  /** `NAME=VALUE` */
  readonly env: readonly string[];
}

/** The call of a hook of a stage. */
export function hookCall(
  plan: SystemPlan,
  stage: HookStage,
  command: string,
  facts: HookFacts = {},
): HookCall {
  const { version, environment } = plan.beyond.hooks;
  const { namespaces = {}, extra = [] } = facts;
  const held = Object.entries(namespaces);
  const args = version === 1
    ? extra
    : [plan.name, "lxc", stage, ...held.map(([name, path]) => `${name}:${path}`), ...extra];
  return {
    args: shell(command, args),
    env: [
      ...environment,
      ...commonVariables(plan, facts),
      ...held.map(([name, path]) => `LXC_${name.toUpperCase()}_NS=${path}`),
      ...(version === 1 ? [`LXC_HOOK_TYPE=${stage}`, "LXC_HOOK_SECTION=lxc"] : []),
      ...(stage === "start" ? plan.spec.process?.env ?? [] : []),
    ],
  };
}

/** What is known of a device by the time that its script runs. */
interface ScriptFacts extends Pick<HookFacts, "pid" | "target"> {
  /** The host's end of a pair. */
  readonly peer?: string;
}

/** The call of a device's script; undefined if it has none. */
export function scriptCall(
  plan: SystemPlan,
  device: NetDevicePlan,
  when: "up" | "down",
  facts: ScriptFacts = {},
): HookCall | undefined {
  const command = when === "up" ? device.scriptUp : device.scriptDown;
  if (command === undefined) return undefined;
  const { version, environment } = plan.beyond.hooks;
  const { type, link } = device;
  const { peer } = facts;
  const parts = [type, link, peer].filter((part) => part !== undefined);
  return {
    args: shell(command, version === 1 ? parts : [plan.name, "net", when, ...parts]),
    env: [
      ...environment,
      ...commonVariables(plan, facts),
      ...(version === 1
        ? [
          `LXC_HOOK_TYPE=${when}`,
          "LXC_HOOK_SECTION=net",
          `LXC_NET_TYPE=${type}`,
          ...(link === undefined ? [] : [`LXC_NET_PARENT=${link}`]),
          ...(peer === undefined ? [] : [`LXC_NET_PEER=${peer}`]),
        ]
        : []),
    ],
  };
}

/** The value is a command line; what it is called with is added to its own arguments. */
function shell(command: string, args: readonly string[]): string[] {
  return ["/bin/sh", "-c", `exec ${command} "$@"`, "sh", ...args];
}

function commonVariables(plan: SystemPlan, { pid, target, source }: HookFacts): string[] {
  const { beyond: { rootfs, console, log, hooks } } = plan;
  const variables: [name: string, value: string | number | undefined][] = [
    ["LXC_NAME", plan.name],
    ["LXC_CONFIG_FILE", plan.configFile],
    ["LXC_ROOTFS_MOUNT", rootfs.mount],
    ["LXC_ROOTFS_PATH", rootfs.driver === "host" ? undefined : rootfs.parts.join(":")],
    ["LXC_CONSOLE", console.peer === "pty" ? undefined : console.peer],
    ["LXC_CONSOLE_LOGPATH", console.logFile],
    ["LXC_CGNS_AWARE", 1],
    ["LXC_LOG_LEVEL", log.level],
    ["LXC_HOOK_VERSION", hooks.version],
    ["LXC_PID", pid],
    ["LXC_TARGET", target],
    ["LXC_SRC_NAME", source],
  ];
  return variables.flatMap(([name, value]) => value === undefined ? [] : [`${name}=${value}`]);
}
