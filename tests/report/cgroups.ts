/**
 * What the kernel of this host holds for each limit, and what `update` and `events` do, with runts
 * and with runc. Prints JSON; tools/report_cgroups.ts makes tables of it.
 */

import { settingsV1 } from "../../lib/cgroup/v1/resources.ts";
import { settingsV2 } from "../../lib/cgroup/v2/resources.ts";
import type { Setting } from "../../lib/cgroup/settings.ts";
import { Bundle, type Config } from "../support/bundle.ts";
import {
  anyDisk,
  cgroupHost,
  cgroupsOf,
  ownCgroups,
  removeLeft,
  UPDATES,
} from "../support/cgroups.ts";
import { exists } from "../support/look.ts";
import { TestRuntime, withRuntime } from "../support/host.ts";

const MiB = 2 ** 20;
const SLEEP = ["sleep", "1000"];
const RUNC = "/usr/sbin/runc";

/** What one host has to tell. */
export interface Report {
  readonly mode: string;
  readonly kernel: string;
  readonly limits: readonly Row[];
  readonly updates: readonly Row[];
  /** Values of `events --stats` by field, numbers that vary from run to run as "number". */
  readonly events: { readonly runts: Fields; readonly runc: Fields };
}

export type Fields = Readonly<Record<string, string>>;

/** What was asked for, and the outcome with each runtime. */
export interface Row {
  readonly asked: string;
  readonly runts: string;
  readonly runc: string;
}

/** Values of linux.resources that a kernel takes as they are: pages are whole, the disk is there. */
function examples(disk: string): Config[] {
  const [major, minor] = disk.split(":").map(Number);
  const rate = (rate: number) => [{ major, minor, rate }];
  return [
    { memory: { limit: 96 * MiB } },
    { memory: { limit: -1 } },
    { memory: { limit: 96 * MiB, swap: 128 * MiB } },
    { memory: { limit: 96 * MiB, swap: -1 } },
    { memory: { reservation: 64 * MiB } },
    { memory: { swappiness: 7 } },
    { memory: { disableOOMKiller: true } },
    { memory: { kernel: 64 * MiB } },
    { memory: { kernelTCP: 8 * MiB } },
    { memory: { useHierarchy: true } },
    { cpu: { shares: 512 } },
    { cpu: { shares: 1024 } },
    { cpu: { quota: 40000, period: 80000 } },
    { cpu: { quota: -1 } },
    { cpu: { quota: 40000, burst: 5000 } },
    { cpu: { idle: 1 } },
    { cpu: { cpus: "0", mems: "0" } },
    { cpu: { realtimePeriod: 900000, realtimeRuntime: 0 } },
    { cpu: { realtimePeriod: 900000, realtimeRuntime: 1000 } },
    { pids: { limit: 33 } },
    { pids: { limit: -1 } },
    { pids: { limit: 0 } },
    { blockIO: { weight: 200 } },
    { blockIO: { leafWeight: 200 } },
    { blockIO: { weightDevice: [{ major, minor, weight: 300 }] } },
    { blockIO: { throttleReadBpsDevice: rate(1000000) } },
    { blockIO: { throttleWriteBpsDevice: rate(2000000) } },
    { blockIO: { throttleReadIOPSDevice: rate(300) } },
    { blockIO: { throttleWriteIOPSDevice: rate(400) } },
    { hugepageLimits: [{ pageSize: "2MB", limit: 4 * MiB }] },
    { network: { classID: 1048577 } },
    { network: { priorities: [{ name: "lo", priority: 5 }] } },
    { rdma: { mlx5: { hcaHandles: 3, hcaObjects: 4 } } },
    { unified: { "memory.high": String(80 * MiB) } },
  ];
}

/** Flags of update, in this order on one container. */
const FLAGS: readonly (readonly string[])[] = [...UPDATES, ["--blkio-weight", "200"]];

/** What they are about. */
const UPDATED: Config = {
  memory: { limit: MiB, swap: 2 * MiB, reservation: MiB },
  cpu: { shares: 2, quota: 1000, period: 1000, cpus: "0" },
  pids: { limit: 1 },
};

/** Those of v2 where the host has no v1 hierarchy for them. */
function settings(resources: Config): Setting[] {
  const { mode, hierarchies } = cgroupHost();
  const mounted = ({ controller }: Setting) =>
    hierarchies.some((hierarchy) => hierarchy.controller === controller);
  try {
    const v1 = mode === "v2" ? [] : settingsV1(resources, "").filter(mounted);
    return v1.length > 0 || mode === "v1" ? v1 : settingsV2(resources, "", () => undefined);
  } catch {
    return []; // this kind of cgroup has nothing like it
  }
}

/** The files that resources are about, with what they hold: `pids.max` 33. */
function held(pid: number, resources: Config): string {
  const paths = cgroupsOf(pid);
  const texts = settings(resources).map(({ controller, forms }) => {
    const directory = paths[controller] ?? paths[""];
    const { file } = forms.find(({ file }) => exists(`${directory}/${file}`)) ?? forms[0];
    if (!exists(`${directory}/${file}`)) return `no \`${file}\``;
    return `\`${file}\` ${told(file, Deno.readTextFileSync(`${directory}/${file}`))}`;
  });
  return [...new Set(texts)].join("; ") || "nothing";
}

/** The text of a file, without what its other lines say. */
function told(file: string, text: string): string {
  const lines = text.trim().split("\n");
  if (file === "memory.oom_control") return lines[0] ?? "";
  if (file === "net_prio.ifpriomap") return lines.find((line) => line.startsWith("lo ")) ?? "";
  return lines.join(", ") || "empty";
}

/** The reason alone: the last line of what went wrong, without what varies. */
function reason(stderr: string, id: string): string {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const text = /msg="(.*)"$/.exec(last)?.[1] ?? last;
  return `error: ${text.replaceAll(id, "ID").replace(/^runts: \w+ "ID": /, "")}`;
}

async function created(
  runtime: TestRuntime,
  resources: Config,
  body: (id: string, pid: number) => Promise<string>,
): Promise<string> {
  const id = runtime.id();
  using bundle = new Bundle((config) => {
    config.process.args = SLEEP;
    config.linux.resources = resources;
  });
  const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
  if (code !== 0) {
    await runtime.run(["delete", "--force", id]);
    return reason(stderr, id);
  }
  const { pid } = await runtime.state(id);
  const cgroups = ownCgroups(pid, id);
  const text = await body(id, pid);
  await runtime.ok(["delete", "--force", id]);
  if (runtime.executable === RUNC) await removeLeft(cgroups);
  return text;
}

function limitsOf(runtime: TestRuntime, resources: Config): Promise<string> {
  return created(runtime, resources, (_, pid) => Promise.resolve(held(pid, resources)));
}

async function updatesOf(runtime: TestRuntime): Promise<string[]> {
  const texts: string[] = [];
  await created(runtime, {}, async (id, pid) => {
    let before = "";
    for (const flags of FLAGS) {
      const { code, stderr } = await runtime.run(["update", ...flags, id]);
      const now = held(pid, { ...UPDATED, blockIO: { weight: 10 } });
      const known = new Set(before.split("; "));
      const changed = now.split("; ").filter((text) => !known.has(text)).join("; ");
      texts.push(code === 0 ? changed || "nothing" : reason(stderr, id));
      before = now;
    }
    return "";
  });
  return texts;
}

async function eventsOf(runtime: TestRuntime): Promise<Fields> {
  let fields: Fields = {};
  const resources = {
    memory: { limit: 96 * MiB, swap: 128 * MiB },
    cpu: { cpus: "0" },
    pids: { limit: 33 },
  };
  await created(runtime, resources, async (id) => {
    await runtime.ok(["start", id]);
    const event = JSON.parse(await runtime.ok(["events", "--stats", id]));
    fields = { type: event.type, ...fieldsOf(event.data, "data") };
    return "";
  });
  return fields;
}

/** What the container was given; all else the kernel counts. */
const GIVEN = /limit$|^data\.pids\.|cpus$|mems$/;

/** Leaves by path; elements of a list are one. */
function fieldsOf(value: Config, path: string): Record<string, string> {
  if (Array.isArray(value)) {
    return Object.assign({}, ...value.map((one) => fieldsOf(one, `${path}[]`)));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return Object.assign({}, ...entries.map(([name, one]) => fieldsOf(one, `${path}.${name}`)));
  }
  return { [path]: GIVEN.test(path) ? String(value) : typeof value };
}

async function report(): Promise<Report> {
  let found: Report | undefined;
  await withRuntime(async (runts) => {
    const runc = new TestRuntime(runts.root, RUNC);
    const limits: Row[] = [];
    for (const resources of examples(anyDisk())) {
      limits.push({
        asked: JSON.stringify(resources),
        runts: await limitsOf(runts, resources),
        runc: await limitsOf(runc, resources),
      });
    }
    const [ours, theirs] = [await updatesOf(runts), await updatesOf(runc)];
    const updates = FLAGS.map((flags, i) => ({
      asked: flags.join(" "),
      runts: ours[i] ?? "",
      runc: theirs[i] ?? "",
    }));
    const { mode } = cgroupHost();
    const kernel = Deno.osRelease();
    const events = { runts: await eventsOf(runts), runc: await eventsOf(runc) };
    found = { mode, kernel, limits, updates, events };
  });
  return found!;
}

if (import.meta.main) console.log(JSON.stringify(await report()));
