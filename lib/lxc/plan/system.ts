/** A configuration → what is to be started. No file is read and nothing asked of the host. */

import { SIGKILL } from "../../spec/values/signals.ts";
import { sysctlNamespace } from "../../spec/values/sysctl.ts";
import type { Linux, Seccomp, Spec } from "../../spec/types/config.ts";
import { quote } from "../../base/errors.ts";
import { findingText as specFindingText } from "../../spec/check/findings.ts";
import { validate } from "../../spec/check/config.ts";
import type { Finding } from "../config/place.ts";
import { planCgroup } from "./cgroup.ts";
import { Draft, originOf, type PlanInput } from "./draft.ts";
import { planHooks } from "./hooks.ts";
import { planMounts } from "./mounts.ts";
import { planNamespaces } from "./namespaces.ts";
import { planNetwork } from "./network.ts";
import { planPersonality, planProcess, planSecurity } from "./process.ts";
import { readProfile } from "./seccomp.ts";
import type { Console, Log, Signals, Start, SystemPlan, Ttys } from "./types.ts";

const SPEC_VERSION = "1.2.0";
const SIGINT = 2;

/** A plan, and what is wrong with the configuration: it can be started if that is nothing. */
export interface Planned {
  readonly plan: SystemPlan;
  readonly findings: readonly Finding[];
}

/** Plans a container. */
export function planSystem(input: PlanInput): Planned {
  const draft = new Draft(input);
  const { config } = draft;
  const namespaces = planNamespaces(draft);
  const all = namespaces.linux.namespaces ?? [];
  const mounts = planMounts(draft, all.some(({ type }) => type === "cgroup"));
  const cgroup = planCgroup(draft);
  const seccomp = planSeccomp(draft);
  const personality = planPersonality(draft);
  const sysctl = planSysctl(draft);
  const name = config.get("lxc.uts.name");
  draft.from("hostname", name?.at);
  const linux: Linux = {
    ...namespaces.linux,
    ...mounts.linux,
    cgroupsPath: cgroup.cgroupsPath,
    resources: cgroup.resources,
    ...(seccomp && { seccomp }),
    ...(sysctl && { sysctl }),
    ...(personality && { personality }),
  };
  const spec: Spec = {
    ociVersion: SPEC_VERSION,
    root: mounts.root,
    mounts: mounts.mounts,
    process: planProcess(draft),
    ...(name && { hostname: name.value }),
    linux,
  };
  const plan: SystemPlan = {
    name: input.name,
    directory: input.directory,
    ...(input.configFile !== undefined && { configFile: input.configFile }),
    spec,
    beyond: {
      ...mounts.beyond,
      console: planConsole(draft),
      ttys: planTtys(draft),
      namespaces: namespaces.beyond,
      network: planNetwork(draft),
      hooks: planHooks(draft),
      cgroup: cgroup.beyond,
      signals: planSignals(draft),
      proc: planProc(draft),
      security: planSecurity(draft),
      start: planStart(draft),
      log: planLog(draft),
    },
    origins: draft.origins,
    warnings: draft.warnings,
  };
  return { plan, findings: [...draft.findings, ...specFindings(plan)] };
}

/** What the specification forbids and no value of a key alone shows. */
function specFindings({ spec, origins, name, configFile }: SystemPlan): Finding[] {
  return validate(spec).map((finding) => {
    const at = originOf(origins, finding.path);
    if (at !== undefined) return { at, message: finding.message };
    const whole = { file: configFile ?? name, line: 1, key: "" };
    return { at: whole, message: specFindingText(finding) };
  });
}

function planSeccomp(draft: Draft): Seccomp | undefined {
  const { input, config } = draft;
  const profile = config.get("lxc.seccomp.profile");
  draft.from("linux.seccomp", profile?.at);
  if (input.seccomp === undefined) return undefined;
  const { seccomp, places, findings, warnings } = readProfile(input.seccomp, input.host);
  places.forEach((place, index) => draft.from(`linux.seccomp.syscalls[${index}]`, place));
  draft.findings.push(...findings);
  draft.warnings.push(...warnings);
  if (seccomp.syscalls?.some(({ action }) => action === "SCMP_ACT_NOTIFY")) {
    const proxy = config.get("lxc.seccomp.notify.proxy");
    if (proxy === undefined) {
      draft.fail(profile!.at, "notifies, and lxc.seccomp.notify.proxy is not set");
    } else return { ...seccomp, listenerPath: proxy.value };
  }
  return seccomp;
}

/** Kernel parameters; those of no namespace are the host's and are left alone. */
function planSysctl(draft: Draft): Linux["sysctl"] {
  const lines = draft.config.family("lxc.sysctl");
  if (lines.length === 0) return undefined;
  return Object.fromEntries(lines.flatMap(({ name, value, at }) => {
    draft.from(`linux.sysctl[${quote(name)}]`, at);
    if (sysctlNamespace(name) !== undefined) return [[name, value]];
    draft.fail(at, "would change the host: the parameter belongs to no namespace");
    return [];
  }));
}

function planConsole(draft: Draft): Console {
  const { config } = draft;
  const [log, size] = [config.get("lxc.console.logfile"), config.get("lxc.console.size")];
  const buffer = config.get("lxc.console.buffer.size");
  draft.from("beyond.console.logFile", log?.at);
  return {
    peer: draft.take("beyond.console.peer", config.get("lxc.console.path"), "pty"),
    ...(log && { logFile: log.value }),
    ...(size && size.value > 0 && { logSize: size.value }),
    rotate: draft.take("beyond.console.rotate", config.get("lxc.console.rotate"), false),
    ...(buffer && buffer.value > 0 && { buffer: buffer.value }),
  };
}

function planTtys(draft: Draft): Ttys {
  const { config } = draft;
  const directory = config.get("lxc.tty.dir");
  draft.from("beyond.ttys.directory", directory?.at);
  return {
    count: draft.take("beyond.ttys.count", config.get("lxc.tty.max"), 0),
    ...(directory && directory.value !== "" && { directory: directory.value }),
  };
}

function planSignals(draft: Draft): Signals {
  const { config } = draft;
  const halt = config.get("lxc.signal.halt");
  draft.from("beyond.signals.halt", halt?.at);
  return {
    ...(halt && halt.value > 0 && { halt: halt.value }),
    reboot: config.get("lxc.signal.reboot")?.value || SIGINT,
    stop: config.get("lxc.signal.stop")?.value || SIGKILL,
    parentDeath: draft.take(
      "beyond.signals.parentDeath",
      config.get("lxc.monitor.signal.pdeath"),
      SIGKILL,
    ),
  };
}

function planProc(draft: Draft): SystemPlan["beyond"]["proc"] {
  const lines = draft.config.family("lxc.proc").filter(({ name }) => name !== "oom_score_adj");
  return lines.map(({ name, value, at }, index) => {
    draft.from(`beyond.proc[${index}]`, at);
    if (name.split("/").includes("..")) draft.fail(at, `${quote(name)} leads out of /proc/PID`);
    return { file: name, value };
  });
}

function planStart(draft: Draft): Start {
  const { config } = draft;
  const command = config.get("lxc.execute.cmd");
  draft.from("beyond.start.executeCommand", command?.at);
  return {
    auto: draft.take("beyond.start.auto", config.get("lxc.start.auto"), false),
    delay: draft.take("beyond.start.delay", config.get("lxc.start.delay"), 0),
    order: draft.take("beyond.start.order", config.get("lxc.start.order"), 0),
    groups: config.all("lxc.group").map(({ value }) => value),
    ephemeral: draft.take("beyond.start.ephemeral", config.get("lxc.ephemeral"), false),
    monitorUnshare: draft.take(
      "beyond.start.monitorUnshare",
      config.get("lxc.monitor.unshare"),
      false,
    ),
    ...(command && { executeCommand: command.value }),
  };
}

function planLog(draft: Draft): Log {
  const { config } = draft;
  const [file, syslog] = [config.get("lxc.log.file"), config.get("lxc.log.syslog")];
  const level = config.get("lxc.log.level");
  draft.from("beyond.log.file", file?.at ?? level?.at);
  return {
    isAsked: file !== undefined || level !== undefined,
    level: draft.take("beyond.log.level", level, "ERROR"),
    ...(file && { file: file.value }),
    ...(syslog && { syslog: syslog.value }),
  };
}
