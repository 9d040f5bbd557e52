/** The program of a container, and what it may do. */

import { RLIM_INFINITY } from "../../spec/values/rlimits.ts";
import { CAPABILITIES } from "../../spec/values/capabilities.ts";
import type { Personality, Process, Rlimit, Wide } from "../../spec/types/config.ts";
import { wordsOf } from "../config/values.ts";
import type { Draft } from "./draft.ts";
import type { Security } from "./types.ts";

const INIT = "/sbin/init";

/** process of the specification. */
export function planProcess(draft: Draft): Process {
  const { config, input } = draft;
  const command = config.get("lxc.init.cmd");
  const cwd = config.get("lxc.init.cwd");
  const user = planUser(draft);
  const rlimits = planLimits(draft);
  const privileges = config.get("lxc.no_new_privs");
  const oom = oomScore(draft);
  if (input.command === undefined) draft.from("process.args", command?.at);
  draft.from("process.terminal", config.get("lxc.console.path")?.at);
  return {
    terminal: config.get("lxc.console.path")?.value !== "none",
    args: input.command ?? (command === undefined ? [INIT] : wordsOf(command.value)),
    cwd: draft.take("process.cwd", cwd, "/"),
    env: planEnvironment(draft),
    user,
    ...(rlimits.length > 0 && { rlimits }),
    capabilities: planCapabilities(draft),
    ...(privileges && {
      noNewPrivileges: draft.take("process.noNewPrivileges", privileges, false),
    }),
    ...(oom !== undefined && { oomScoreAdj: oom }),
    ...labels(draft),
  };
}

function planUser(draft: Draft): NonNullable<Process["user"]> {
  const { config } = draft;
  const groups = config.all("lxc.init.groups");
  draft.from("process.user.additionalGids", groups[0]?.at);
  return {
    uid: draft.take("process.user.uid", config.get("lxc.init.uid"), 0),
    gid: draft.take("process.user.gid", config.get("lxc.init.gid"), 0),
    ...(groups.length > 0 && { additionalGids: groups.map(({ value }) => value) }),
  };
}

/** Nothing of the caller's but what is named. */
function planEnvironment(draft: Draft): string[] {
  const { config } = draft;
  const given = [...config.all("lxc.environment"), ...config.all("lxc.environment.runtime")];
  draft.from("process.env", given[0]?.at);
  return ["container=lxc", ...terminalVariable(draft), ...variables(draft, given)];
}

/** The terminals that systemd shows logins on: those after the console, in a devpts of their own. */
function terminalVariable({ config }: Draft): string[] {
  const count = config.get("lxc.tty.max")?.value ?? 0;
  const first = config.get("lxc.console.path")?.value === "none" ? 0 : 1;
  const names = Array.from({ length: count }, (_, index) => `pts/${first + index}`);
  return count === 0 ? [] : [`container_ttys=${names.join(" ")}`];
}

/** Variables with their values; of a bare name the caller has the value. */
export function variables(
  draft: Draft,
  given: ReturnType<typeof draft.config.all<"lxc.environment">>,
): string[] {
  return given.flatMap(({ value, at }) => {
    if (value.includes("=")) return value;
    const own = draft.input.host.variable(value);
    if (own !== undefined) return `${value}=${own}`;
    draft.fail(at, `"${value}" is not set in the environment of the caller`);
    return [];
  });
}

function planLimits(draft: Draft): Rlimit[] {
  return draft.config.family("lxc.prlimit").map(({ name, value, at }, index) => {
    draft.from(`process.rlimits[${index}]`, at);
    return {
      type: `RLIMIT_${name.toUpperCase()}`,
      soft: narrow(value.soft),
      hard: narrow(value.hard),
    };
  });
}

function narrow(value: bigint): Wide {
  return value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value > RLIM_INFINITY
    ? RLIM_INFINITY
    : value;
}

/** All capabilities but those dropped, or those kept alone; of no other set than root's. */
function planCapabilities(draft: Draft): NonNullable<Process["capabilities"]> {
  const { config, input } = draft;
  const dropped = config.all("lxc.cap.drop");
  const kept = config.all("lxc.cap.keep");
  draft.from("process.capabilities", kept[0]?.at ?? dropped[0]?.at);
  const names = kept.map(({ value }) => value);
  const rest = names.slice(names.lastIndexOf("none") + 1);
  const set = kept.length > 0
    ? [...new Set(rest)]
    : CAPABILITIES.filter((name) =>
      !dropped.some(({ value }) => value === name) && !input.host.lostCapabilities.includes(name)
    );
  return { bounding: set, effective: set, permitted: set, inheritable: [], ambient: [] };
}

/** Whether the container keeps a capability. */
export function keeps(draft: Draft, capability: string): boolean {
  return planCapabilities(draft).bounding?.includes(capability) === true;
}

function oomScore(draft: Draft): number | undefined {
  const line = draft.config.family("lxc.proc").find(({ name }) => name === "oom_score_adj");
  if (line === undefined) return undefined;
  draft.from("process.oomScoreAdj", line.at);
  if (/^-?\d{1,4}$/.test(line.value) && Math.abs(Number(line.value)) <= 1000) {
    return Number(line.value);
  }
  draft.fail(line.at, `"${line.value}" is not a whole number from -1000 to 1000`);
}

const PROFILES = ["generated", "unconfined", "unchanged"] as const;

function labels(draft: Draft): Pick<Process, "apparmorProfile" | "selinuxLabel"> {
  const { config } = draft;
  const apparmor = config.get("lxc.apparmor.profile");
  const selinux = config.get("lxc.selinux.context");
  draft.from("process.apparmorProfile", apparmor?.at);
  draft.from("process.selinuxLabel", selinux?.at);
  const isNamed = apparmor !== undefined && !PROFILES.some((one) => one === apparmor.value);
  return {
    ...(isNamed && { apparmorProfile: apparmor.value }),
    ...(selinux && selinux.value !== "unconfined_t" && { selinuxLabel: selinux.value }),
  };
}

/** What the specification has no words for. */
export function planSecurity(draft: Draft): Security {
  const { config } = draft;
  const apparmor = config.get("lxc.apparmor.profile");
  const raw = config.all("lxc.apparmor.raw");
  const context = config.get("lxc.selinux.context.keyring");
  const [proxy, cookie] = [
    config.get("lxc.seccomp.notify.proxy"),
    config.get("lxc.seccomp.notify.cookie"),
  ];
  draft.from("beyond.security.apparmor", apparmor?.at ?? raw[0]?.at);
  draft.from("beyond.security.keyringContext", context?.at);
  draft.from("beyond.security.seccomp.proxy", proxy?.at);
  if (raw[0] !== undefined && apparmor?.value !== "generated") {
    draft.warn(raw[0].at, "counts only with lxc.apparmor.profile = generated");
  }
  return {
    apparmor: {
      profile: apparmor === undefined
        ? "default"
        : PROFILES.find((one) => one === apparmor.value) ?? "named",
      nesting: config.get("lxc.apparmor.allow_nesting")?.value ?? false,
      allowIncomplete: config.get("lxc.apparmor.allow_incomplete")?.value ?? false,
      raw: raw.map(({ value }) => value),
    },
    ...(context && { keyringContext: context.value }),
    keyring: draft.take(
      "beyond.security.keyring",
      config.get("lxc.keyring.session"),
      true,
    ),
    coreScheduling: draft.take(
      "beyond.security.coreScheduling",
      config.get("lxc.sched.core"),
      false,
    ),
    seccomp: {
      nesting: config.get("lxc.seccomp.allow_nesting")?.value ?? false,
      ...(proxy && { proxy: proxy.value }),
      ...(cookie && { cookie: cookie.value }),
    },
  };
}

/** The kind of machine that programs see. */
export function planPersonality(draft: Draft): Personality | undefined {
  const arch = draft.config.get("lxc.arch");
  if (arch === undefined) return undefined;
  draft.from("linux.personality", arch.at);
  return { domain: arch.value === 32 ? "LINUX32" : "LINUX" };
}
