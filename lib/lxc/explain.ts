/** What a start would do, with the line of the configuration that asks for each step. */

import { isRuntsError } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { explainBundle, type Explanation, type Step } from "../container/explain.ts";
import { signalName } from "../spec/values/signals.ts";
import type { HookStage } from "./config/keys.ts";
import { type Finding, type Place, placeText } from "./config/place.ts";
import { inItsLine, originOf } from "./plan/draft.ts";
import { hookCall, scriptCall } from "./plan/hooks.ts";
import type { NetDevicePlan, SystemPlan } from "./plan/types.ts";

/** What a start would do, and what follows when the container has ended. */
interface Explained extends Explanation {
  readonly after: readonly Step[];
}

/** Explains a plan. Errors are those that a start would have before it begins. */
export async function explainSystem(runtime: Runtime, plan: SystemPlan): Promise<Explained> {
  const bundle = { path: plan.directory, spec: plan.spec, text: "" };
  let explanation: Explanation;
  try {
    explanation = await explainBundle(runtime, { id: plan.name }, bundle);
  } catch (error) {
    throw isRuntsError(error) ? inItsLine(error, plan.origins) : error;
  }
  const steps = explanation.steps.map((step) => ({ ...step, from: from(plan, step.from) }));
  return {
    ...explanation,
    steps: withBeyond(plan, steps),
    after: afterSteps(plan),
    warnings: [
      ...explanation.warnings,
      ...plan.warnings.map((warning) => warningText(plan, warning)),
    ],
  };
}

/** `config:17 lxc.mount.entry`: a file of the container's directory by its name alone. */
function from({ origins, directory }: SystemPlan, path: string): string {
  const at = originOf(origins, path);
  if (at === undefined) return "";
  return `${shortPlace(directory, at)} ${at.key}`.trimEnd();
}

function shortPlace(directory: string, at: Place): string {
  const place = placeText(at);
  return place.startsWith(`${directory}/`) ? place.slice(directory.length + 1) : place;
}

function warningText({ directory }: SystemPlan, { at, message }: Finding): string {
  return [shortPlace(directory, at), at.key, message].filter((part) => part !== "").join(": ");
}

type Make = (path: string, stage: Step["stage"], text: string) => Step;

/** Which of the steps something comes in front of. */
type Before = (step: Step) => boolean;
const operation = (...names: readonly string[]): Before => ({ op }) =>
  op !== undefined && names.includes(op.op);

/** With what the specification has no words for, each at its time. */
function withBeyond(plan: SystemPlan, steps: readonly Step[]): Step[] {
  const step: Make = (path, stage, text) => ({ stage, from: from(plan, path), text });
  const hooks = (stage: HookStage, where: Step["stage"]) => hookSteps(plan, stage, where, step);
  const { beyond: { cgroup, namespaces } } = plan;
  const files = cgroup.files.map(({ file, value }, index) =>
    step(`beyond.cgroup.files[${index}]`, "cgroup", `write ${value} to ${file}`)
  );
  const shared = namespaces.shared.map(({ type, container }, index) =>
    step(
      `beyond.namespaces.shared[${index}]`,
      "host",
      `join the ${type} namespace of container ${container}`,
    )
  );
  const inserted: [before: Before, more: Step[]][] = [
    [({ stage }) => stage === "host", files],
    [operation("clone"), shared],
    [operation("loopback_up", "hostname", "propagation", "rootfs"), networkSteps(plan, step)],
    [operation("rootfs"), [...hooks("pre-mount", "rootfs"), ...sourceSteps(plan, step)]],
    [
      operation("device", "symlink", "console", "enter_root"),
      [...hooks("mount", "rootfs"), ...hooks("autodev", "rootfs")],
    ],
    [operation("enter_root"), [...terminalSteps(plan, step), ...openSteps(plan, step)]],
    [operation("wait_start"), hooks("start-host", "container")],
    [operation("exec"), hooks("start", "container")],
  ];
  return inserted.reduce(
    (all, [before, more]) => {
      const place = all.findIndex(before);
      return all.toSpliced(place < 0 ? all.length : place, 0, ...more);
    },
    [...hooks("pre-start", "cgroup"), ...steps],
  );
}

function networkSteps(plan: SystemPlan, step: Make): Step[] {
  const { network } = plan.beyond;
  return network.flatMap((device, index) => {
    const path = `beyond.network[${index}]`;
    const script = scriptCall(plan, device, "up");
    return [
      step(path, "namespaces", `let runts make ${deviceText(device)}`),
      ...(script === undefined ? [] : [step(
        `${path}.script.up`,
        "namespaces",
        `let runts run ${callText(device.scriptUp!, script)}`,
      )]),
    ];
  });
}

function sourceSteps({ beyond: { rootfs } }: SystemPlan, step: Make): Step[] {
  const { driver, parts, mount } = rootfs;
  if (driver === "host" || driver === "dir") return [];
  return [step("beyond.rootfs", "rootfs", `mount ${driver} of ${parts.join(":")} on ${mount}`)];
}

function openSteps({ beyond: { writable, cgroupMount } }: SystemPlan, step: Make): Step[] {
  return [
    ...writable.map((path, index) =>
      step(`beyond.writable[${index}]`, "rootfs", `leave ${path} writable`)
    ),
    ...(cgroupMount
      ? [
        step(
          "beyond.cgroupMount",
          "rootfs",
          `mount cgroups on /sys/fs/cgroup (${cgroupMount.mode})`,
        ),
      ]
      : []),
  ];
}

function terminalSteps({ beyond: { ttys, console } }: SystemPlan, step: Make): Step[] {
  const directory = ttys.directory === undefined ? "/dev" : `/dev/${ttys.directory}`;
  return [
    ...(console.logFile === undefined
      ? []
      : [step("beyond.console.logFile", "rootfs", `log the console to ${console.logFile}`)]),
    ...(ttys.count === 0 ? [] : [step(
      "beyond.ttys.count",
      "rootfs",
      `bind terminals on ${directory}/tty1${ttys.count > 1 ? ` to tty${ttys.count}` : ""}`,
    )]),
  ];
}

function hookSteps(plan: SystemPlan, stage: HookStage, where: Step["stage"], step: Make): Step[] {
  const hooks = plan.beyond.hooks.stages[stage] ?? [];
  return hooks.map((hook, index) =>
    step(
      `beyond.hooks.stages["${stage}"][${index}]`,
      where,
      `run ${callText(hook, hookCall(plan, stage, hook))}`,
    )
  );
}

/** The command line of a hook, with what it is called with. */
function callText(command: string, { args }: ReturnType<typeof hookCall>): string {
  return [command, ...args.slice(SHELL_ARGS)].join(" ");
}

/** Those of the shell, in front of those of the hook. */
const SHELL_ARGS = 4;

function deviceText({ type, link, name, up, ipv4, ipv6, veth }: NetDevicePlan): string {
  const kind = type === "veth" ? "a pair of network devices" : `a network device (${type})`;
  const addresses = [...ipv4, ...ipv6].map(({ address, prefix }) => `${address}/${prefix}`);
  return [
    type === "empty" ? "the loopback device alone" : kind,
    ...(link === undefined ? [] : [veth ? `on ${link}` : `of ${link}`]),
    ...(name === undefined ? [] : [`called ${name}`]),
    ...addresses,
    ...(up ? ["up"] : []),
  ].join(", ");
}

function afterSteps(plan: SystemPlan): Step[] {
  const step: Make = (path, stage, text) => ({ stage, from: from(plan, path), text });
  const { signals: { halt, stop }, start } = plan.beyond;
  const name = halt === undefined ? "SIGPWR, or SIGRTMIN+3 to systemd" : `SIG${signalName(halt)}`;
  return [
    step(
      "beyond.signals.halt",
      "container",
      `to halt it, send ${name}; then SIG${signalName(stop)}`,
    ),
    ...hookSteps(plan, "stop", "host", step),
    ...hookSteps(plan, "post-stop", "host", step),
    ...(start.ephemeral ? [step("beyond.start.ephemeral", "host", "remove the container")] : []),
  ];
}
