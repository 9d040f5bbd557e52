/** What a start would do, with the line of the configuration that asks for each step. */

import { isRuntsError } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { explainBundle, type Explanation, type Step } from "../container/explain.ts";
import { signalName } from "../spec/values/signals.ts";
import type { HookStage } from "./config/keys.ts";
import { type Finding, type Place, placeText } from "./config/place.ts";
import { inItsLine, originOf } from "./plan/draft.ts";
import { hookCall, scriptCall } from "./plan/hook_call.ts";
import type { NetDevicePlan, SystemPlan } from "./plan/types.ts";
import { systemInput } from "./life/input.ts";

/** What a start would do, and what follows when the container has ended. */
interface Explained extends Explanation {
  readonly after: readonly Step[];
}

/** Explains a plan. Errors are those that a start would have before it begins. */
export async function explainSystem(runtime: Runtime, plan: SystemPlan): Promise<Explained> {
  const bundle = { path: plan.directory, spec: plan.spec, text: "" };
  let explanation: Explanation;
  try {
    const system = systemInput(runtime.caller, plan);
    explanation = await explainBundle(runtime, { id: plan.name }, bundle, system);
  } catch (error) {
    throw isRuntsError(error) ? inItsLine(error, plan.origins) : error;
  }
  const steps = explanation.steps.map((step) => ({
    ...step,
    from: from(plan, step.from),
    ...(step.op?.op === "hook" && { text: `run ${innerHook(plan, step)}` }),
  }));
  return {
    ...explanation,
    steps: withHost(plan, steps),
    after: afterSteps(plan),
    warnings: [
      ...explanation.warnings,
      ...plan.warnings.map((warning) => warningText(plan, warning)),
    ],
  };
}

/** The command line of a hook that init runs. */
function innerHook(plan: SystemPlan, { op }: Step): string {
  const [stage, index] = [op!["kind"] as HookStage, op!["index"] as number];
  const command = plan.beyond.hooks.stages[stage]![index]!;
  return callText(command, hookCall(plan, stage, command));
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

/** With what runts and the monitor do beside init, each at its time. */
function withHost(plan: SystemPlan, steps: readonly Step[]): Step[] {
  const step: Make = (path, stage, text) => ({ stage, from: from(plan, path), text });
  const hooks = (stage: HookStage, where: Step["stage"]) => hookSteps(plan, stage, where, step);
  const { beyond: { cgroup, namespaces, proc } } = plan;
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
  const written = proc.map(({ file, value }, index) =>
    step(`beyond.proc[${index}]`, "container", `let runts write ${value} to /proc/PID/${file}`)
  );
  const inserted: [before: Before, more: Step[]][] = [
    [
      ({ stage }) => stage === "host",
      [
        ...rootSteps(plan, step),
        ...hooks("pre-start", "cgroup"),
        ...files,
        ...monitorSteps(plan, step),
      ],
    ],
    [operation("clone"), shared],
    [operation("loopback_up", "hostname", "propagation", "rootfs"), networkSteps(plan, step)],
    [
      operation("wait_start"),
      [...deviceSteps(plan, step), ...written, ...hooks("start-host", "container")],
    ],
  ];
  return inserted.reduce((all, [before, more]) => {
    const place = all.findIndex(before);
    return all.toSpliced(place < 0 ? all.length : place, 0, ...more);
  }, steps as Step[]);
}

/** What the mounting of the root needs. */
function rootSteps({ beyond: { rootfs } }: SystemPlan, step: Make): Step[] {
  if (rootfs.driver !== "overlay") return [];
  return [step("beyond.rootfs", "cgroup", `make ${rootfs.parts.at(-1)} and ${rootfs.work}`)];
}

/** What becomes of the console, and where the monitor is. */
function monitorSteps({ beyond: { cgroup, console } }: SystemPlan, step: Make): Step[] {
  const { logFile, logSize, rotate } = console;
  const limit = logSize === undefined ? "" : `, ${logSize} bytes at most`;
  return [
    step("beyond.cgroup.monitor", "cgroup", `start the monitor in the cgroup ${cgroup.monitor}`),
    ...(logFile === undefined ? [] : [step(
      "beyond.console.logFile",
      "cgroup",
      `let the monitor log the console to ${logFile}${limit}${rotate ? ", and rotate it" : ""}`,
    )]),
  ];
}

/** Nodes have been made by then. */
function deviceSteps({ spec: { linux } }: SystemPlan, step: Make): Step[] {
  const [, ...rules] = linux?.resources?.devices ?? [];
  if (rules.length === 0) return [];
  const text = "let runts forbid all devices that the rules do not allow";
  return [step("linux.resources.devices[1]", "container", text)];
}

function networkSteps(plan: SystemPlan, step: Make): Step[] {
  return plan.beyond.network.flatMap((device, index) => {
    const path = `beyond.network[${index}]`;
    return [
      step(path, "namespaces", `let runts make ${deviceText(device)}`),
      ...scriptSteps(plan, "up", index, step),
    ];
  });
}

function scriptSteps(plan: SystemPlan, when: "up" | "down", index: number, step: Make): Step[] {
  const device = plan.beyond.network[index]!;
  const call = scriptCall(plan, device, when);
  if (call === undefined) return [];
  const command = when === "up" ? device.scriptUp! : device.scriptDown!;
  const stage = when === "up" ? "namespaces" : "host";
  const path = `beyond.network[${index}].script.${when}`;
  return [step(path, stage, `let runts run ${callText(command, call)}`)];
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

function downSteps({ type, link }: NetDevicePlan, path: string, step: Make): Step[] {
  if (type === "empty") return [];
  const text = type === "phys" ? `move ${link} back` : `remove the network device (${type})`;
  return [step(path, "host", text)];
}

/** The command line of a hook, with what it is called with. */
function callText(command: string, { args }: ReturnType<typeof hookCall>): string {
  return [command, ...args.slice(SHELL_ARGS)].join(" ");
}

/** Those of the shell, in front of those of the hook. */
const SHELL_ARGS = 4;

function deviceText(device: NetDevicePlan): string {
  const { type, link, name, up, ipv4, ipv6, veth, vlanId, macvlanMode, ipvlan } = device;
  const kind = type === "veth"
    ? `a pair of network devices${veth?.pair === undefined ? "" : `, ${veth.pair} on the host`}`
    : `a network device (${[type, macvlanMode, ipvlan?.mode, vlanId].filter(isGiven).join(" ")})`;
  const on = veth === undefined ? "of" : veth.mode === "router" ? "beside" : "on";
  const part = (text: string, value: unknown) => value === undefined ? [] : [`${text} ${value}`];
  const addresses = [...ipv4, ...ipv6].map(({ address, prefix }) => `${address}/${prefix}`);
  const routes = [...veth?.ipv4Routes ?? [], ...veth?.ipv6Routes ?? []];
  return [
    type === "empty" ? "the loopback device alone" : kind,
    ...part(on, link),
    ...part("called", name),
    ...part("with address", device.hardwareAddress),
    ...part("mtu", device.mtu),
    ...addresses,
    ...part("gateway", device.ipv4Gateway),
    ...part("gateway", device.ipv6Gateway),
    ...routes.map(({ address, prefix }) => `route ${address}/${prefix} on the host`),
    ...part("vlan", veth?.vlan),
    ...(veth?.taggedVlans ?? []).map((id) => `tagged vlan ${id}`),
    ...(up ? ["up"] : []),
  ].join(", ");
}

const isGiven = (part: unknown) => part !== undefined;

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
    ...plan.beyond.network.toReversed().flatMap((device, index, all) => [
      ...scriptSteps(plan, "down", all.length - 1 - index, step),
      ...downSteps(device, `beyond.network[${all.length - 1 - index}]`, step),
    ]),
    ...hookSteps(plan, "post-stop", "host", step),
    ...(start.ephemeral ? [step("beyond.start.ephemeral", "host", "remove the container")] : []),
  ];
}
