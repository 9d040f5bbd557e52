import { defineCommand } from "../cli/types.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { type Choice, isDefined, lxcPath } from "../lxc/place.ts";
import { networkFacts, sizeText, trafficOf, usageOf } from "../lxc/life/facts.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { systemNow } from "../lxc/life/state.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc info",
  group: "system",
  summary: "print what a container is, does and uses",
  description: [
    "Without a choice all is printed. With -c, KEY = VALUE for each key, as it holds after all files and " +
    "defaults; of a key that may be repeated all values, a line each.",
  ],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    state: { short: "s", description: "its state" },
    pid: { short: "p", description: "the pid of its init" },
    ips: { short: "i", description: "its addresses" },
    stats: { short: "S", description: "what it uses" },
    config: { short: "c", value: "KEY", repeat: true, description: "a key" },
    noHumanize: { short: "H", description: "print numbers, and the bare value of a single choice" },
  },
  examples: [
    { text: "its state", command: "runts lxc info -n web -s" },
    { text: "the network devices", command: "runts lxc info -n web -c lxc.net" },
  ],
  async run(context) {
    const { runtime, args, options, print } = context;
    if (versionWanted(context)) return;
    const { config: keys = [], state, pid, ips, stats, noHumanize = false } = options;
    const choice = choiceOf(context, args.name);
    const chosen = [state, pid, ips, stats].filter((one) => one === true).length;
    const all = chosen + keys.length === 0;
    if (keys.length > 0) {
      await printKeys(runtime, choice, keys, noHumanize && chosen + keys.length === 1, print);
      if (chosen === 0) return;
    }
    const lines = await linesOf(runtime, choice, { state, pid, ips, stats, all, noHumanize });
    const bare = noHumanize && chosen === 1 && !stats;
    print(lines.map(([name, value]) => bare ? `${value}\n` : line(name, value)).join(""));
  },
});

function line(name: string, value: string): string {
  return `${`${name}:`.padEnd(15)} ${value}\n`;
}

interface Wanted {
  readonly state: boolean | undefined;
  readonly pid: boolean | undefined;
  readonly ips: boolean | undefined;
  readonly stats: boolean | undefined;
  readonly all: boolean;
  readonly noHumanize: boolean;
}

type Line = readonly [name: string, value: string];

async function linesOf(runtime: Runtime, choice: Choice, wanted: Wanted): Promise<Line[]> {
  const id = systemIdOf(runtime, choice);
  const { all } = wanted;
  const now = systemNow(runtime, id);
  if (now.state === "STOPPED" && !isDefined(lxcPath(runtime, choice.lxcpath), choice.name!)) {
    throw new RuntsError(`${choice.name} doesn't exist`);
  }
  const lines: Line[] = [];
  if (all) lines.push(["Name", choice.name!]);
  if (all || wanted.state) lines.push(["State", now.state]);
  if (now.pid === undefined) return lines;
  if (all || wanted.pid) lines.push(["PID", String(now.pid)]);
  if (all || wanted.ips) {
    const { ipv4, ipv6 } = await networkFacts(runtime, now.pid);
    lines.push(...[...ipv4, ...ipv6].map((address) => ["IP", address] as const));
  }
  if (all || wanted.stats) {
    lines.push(...await usageLines(runtime, id, wanted.noHumanize));
    lines.push(...trafficLines(runtime, id, wanted.noHumanize));
  }
  return lines;
}

const NS_PER_SECOND = 1e9;

/** What has gone through the devices of the host, as the container has it. */
function trafficLines(runtime: Runtime, id: string, bare: boolean): Line[] {
  const size = (bytes: number) => bare ? String(bytes) : sizeText(bytes);
  return trafficOf(runtime, id).flatMap(({ link, sent, received }): Line[] => [
    ["Link", link],
    [" TX bytes", size(sent)],
    [" RX bytes", size(received)],
    [" Total bytes", size(sent + received)],
  ]);
}

async function usageLines(runtime: Runtime, id: string, bare: boolean): Promise<Line[]> {
  const { cpu, io, memory, kernel } = await usageOf(runtime, id);
  const size = (bytes: number) => bare ? String(bytes) : sizeText(bytes);
  const seconds = (ns: number) => bare ? String(ns) : `${(ns / NS_PER_SECOND).toFixed(2)} seconds`;
  const of = (name: string, value: number | undefined, text: (value: number) => string): Line[] =>
    value === undefined ? [] : [[name, text(value)]];
  return [
    ...of("CPU use", cpu, seconds),
    ...of("BlkIO use", io, size),
    ...of("Memory use", memory, size),
    ...of("KMem use", kernel, size),
  ];
}

async function printKeys(
  runtime: Runtime,
  choice: Choice,
  keys: readonly string[],
  bare: boolean,
  print: (text: string) => void,
): Promise<void> {
  const { openContainer, refuse } = await import("../lxc/container.ts");
  const { config, findings } = await openContainer(runtime, choice);
  refuse(findings);
  for (const key of keys) {
    const value = config.show(key);
    // As LXC has it, that is no failure.
    if (value === undefined) runtime.warn(`${quote(key)} is no key`);
    else if (bare) print(`${value}\n`);
    else print(`${key} =${value === "" ? "" : ` ${value}`}\n`);
  }
}
