/**
 * Containers in transient scopes of systemd. systemd makes the cgroup and moves init into it;
 * the files in it are then written as on a host without systemd, since not every limit is a
 * property. What is a property is set on the unit too, or a daemon-reload would undo it.
 */

import { quote, RuntsError } from "../../base/errors.ts";
import type { Resources } from "../../spec/types/config.ts";
import { type DirectoryCgroup, refuseUnfit } from "../directory.ts";
import { readFile, writeFile } from "../files.ts";
import { type CgroupHost, detectHost, hierarchyOf } from "../hierarchies.ts";
import { checkMemoryUse } from "../memory_use.ts";
import { pathsBelowMounts, recordedPaths } from "../location.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Setting } from "../settings.ts";
import { type SubCgroups, withinCgroup } from "../below.ts";
import {
  checkRecordedSubgroup,
  delegatedOf,
  enterDelegated,
  enterSubgroup,
  subgroupOf,
} from "../subgroup.ts";
import { isUserManager, Systemd } from "./bus.ts";
import { heldByUnit, inBfqWeights } from "./held.ts";
import { annotationProperties, type Property, settingProperties } from "./properties.ts";
import { slicePath, type Unit, unitOf } from "./units.ts";
import type { CgroupJoin, CgroupManager, CgroupRecord, CgroupRequest } from "../manager.ts";

/** Of config paths in config.json. */
const CONFIG = "linux.resources.";

/** The manager of a container whose scope systemd is to make. */
export async function makeScope(
  runtime: Runtime,
  request: CgroupRequest,
): Promise<CgroupManager> {
  const host = detectHost(runtime);
  const user = isUserManager(runtime);
  if (user && host.mode !== "v2") {
    throw new RuntsError("use systemd as cgroup manager without being root", {
      cause: "users cannot be given cgroups of v1",
      hint: "use --cgroup-manager=disabled",
    });
  }
  const unit = unitOf(request.cgroupsPath, request.id, user ? "user.slice" : "system.slice");
  const properties = annotationProperties(request.annotations);
  const base = await Systemd.with(runtime, user, (systemd) => systemd.controlGroup());
  const path = `${user ? base : ""}${slicePath(unit.slice)}/${unit.name}`;
  const inner = await filesOf(runtime, path, request.rootless);
  const subgroup = host.mode === "v2" ? subgroupOf(request.annotations) : undefined;
  return new Scope(runtime, unit.name, { path, subgroup }, inner, {
    slice: unit.slice,
    delegated: host.mode === "v2" ? delegatedOf(request.annotations) : undefined,
    description: request.description ?? `runts container ${request.id}`,
    properties,
  });
}

/** The manager of a container that has a scope. */
export async function openScope(
  runtime: Runtime,
  record: CgroupRecord,
): Promise<CgroupManager> {
  const host = detectHost(runtime);
  const { scope, path, subgroup } = record;
  if (scope === undefined) {
    throw new RuntsError("open the container's cgroup", {
      cause: "its record has no name of a scope",
    });
  }
  recordedPaths(host, pathsBelowMounts(host, path));
  checkRecordedSubgroup(subgroup);
  const inner = await filesOf(runtime, path, false);
  return new Scope(runtime, scope, { path, subgroup }, inner, undefined);
}

async function filesOf(
  runtime: Runtime,
  path: string,
  rootless: boolean,
): Promise<DirectoryCgroup> {
  const host = detectHost(runtime);
  const paths = pathsBelowMounts(host, path);
  const tolerance = { rootless, optional: false };
  if (host.mode !== "v2") {
    const { CgroupV1 } = await import("../v1/manager.ts");
    return new CgroupV1(runtime, paths, tolerance);
  }
  const { CgroupV2 } = await import("../v2/manager.ts");
  const mountPoint = hierarchyOf(host, "")?.mountPoint ?? "";
  return new CgroupV2(runtime, mountPoint, paths[""] ?? "", tolerance);
}

/** What is known of a scope that is to be made. */
interface Plan {
  readonly slice: Unit["slice"];
  /** Cgroup below that of the processes which they move on to, to manage it by themselves. */
  readonly delegated: string | undefined;
  readonly description: string;
  /** Of annotations. */
  readonly properties: readonly Property[];
}

class Scope implements CgroupManager {
  readonly #runtime: Runtime;
  readonly #host: CgroupHost;
  readonly #unit: string;
  readonly #user: boolean;
  #path: string;
  /** Cgroup below that of the unit, where the processes are. */
  readonly #subgroup: string | undefined;
  /** Cgroup below that, of a scope that was made just now. */
  readonly #delegated: string | undefined;
  #inner: DirectoryCgroup;
  /** Until the scope is started. */
  #plan: Plan | undefined;
  #resources: Resources = {};
  /** Whether there is a unit that is ours to stop. */
  #ours: boolean;

  constructor(
    runtime: Runtime,
    unit: string,
    { path, subgroup }: { readonly path: string; readonly subgroup: string | undefined },
    inner: DirectoryCgroup,
    plan: Plan | undefined,
  ) {
    this.#runtime = runtime;
    this.#host = detectHost(runtime);
    this.#user = isUserManager(runtime);
    this.#unit = unit;
    this.#path = path;
    this.#subgroup = subgroup;
    this.#delegated = plan?.delegated;
    this.#inner = inner;
    this.#plan = plan;
    this.#ours = plan === undefined;
  }

  get record(): CgroupRecord {
    const paths = pathsBelowMounts(this.#host, this.#path);
    const subgroup = this.#subgroup;
    const place = { path: this.#path, scope: this.#unit, ...(subgroup && { subgroup }) };
    return { kind: "systemd", ...place, paths };
  }

  /** Only checks: a scope cannot be without a process, so it is made in {@linkcode attach}. */
  async prepare(resources: Resources): Promise<CgroupJoin> {
    await this.#settings(resources, CONFIG);
    await this.#refuseUnfit();
    this.#resources = heldByUnit(resources, this.#current);
    return { files: [], moved: true };
  }

  async attach(pid: number, sub?: SubCgroups, initPid?: number): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined) {
      const { bornIn = "" } = this.#inner.joinFiles(this.#below(sub), initPid);
      const path = bornIn.slice(this.record.paths[""]?.length ?? bornIn.length);
      return await this.#ask((systemd) => systemd.attach(this.#unit, path, [pid]));
    }
    const limits = await this.#properties(this.#resources, CONFIG);
    await this.#refuseUnfit();
    const properties = [...this.#fixed(plan, pid), ...limits, ...plan.properties];
    await this.#ask((systemd) =>
      systemd.start(this.#unit, properties, () => {
        this.#ours = true;
      })
    );
    this.#plan = undefined;
    await this.#settle(pid);
    this.#refuseStrangers(pid);
    const join = await this.#inner.prepare(this.#resources, { adopt: true });
    const { blockIO } = this.#resources;
    // Only now is it known who schedules.
    if (blockIO && this.#hasBfq()) {
      await this.#set(this.#propertiesOf(await this.#settings({ blockIO }, CONFIG)));
    }
    // Hierarchies of v1 that systemd does not manage are left to us.
    for (const file of join.files) writeFile(file, String(pid));
    const directory = this.#subdirectory();
    if (directory !== undefined) {
      enterSubgroup(this.#mountPoint, directory, pid);
    }
  }

  delegate(pid: number): void {
    const directory = this.#delegatedDirectory();
    if (directory !== undefined) enterDelegated(this.#mountPoint, directory, pid);
  }

  /** systemd takes a directory that is there already, with all who are in it. */
  async #refuseUnfit(): Promise<void> {
    try {
      for (const directory of new Set(Object.values(this.record.paths))) refuseUnfit(directory);
    } catch (error) {
      await this.#ask((systemd) => systemd.refuseTaken(this.#unit));
      throw error;
    }
  }

  /** Somebody may have come before systemd made the unit, or to where it really is. */
  #refuseStrangers(pid: number): void {
    try {
      for (const directory of new Set(Object.values(this.record.paths))) {
        refuseUnfit(directory, pid);
      }
    } catch (error) {
      // To stop the unit would kill them. It ends when nobody is left in it.
      this.#ours = false;
      throw error;
    }
  }

  #subdirectory(): string | undefined {
    return this.#subgroup && `${this.record.paths[""]}/${this.#subgroup}`;
  }

  #delegatedDirectory(): string | undefined {
    return this.#delegated && `${this.#subdirectory()}/${this.#delegated}`;
  }

  get #mountPoint(): string {
    return hierarchyOf(this.#host, "")?.mountPoint ?? "";
  }

  /** The same cgroups, which are below the subgroup, from the scope. */
  #below(sub: SubCgroups | undefined): SubCgroups | undefined {
    const path = sub?.[""];
    if (path === undefined || !this.#subgroup) return sub;
    return { ...sub, "": `${this.#subgroup}/${withinCgroup(path)}` };
  }

  /** Takes the cgroup that systemd has really made. */
  async #settle(pid: number): Promise<void> {
    const name = this.#host.mode === "v2" ? "0::" : "name=systemd:";
    const line = readFile(`/proc/${pid}/cgroup`)?.split("\n").find((text) => text.includes(name));
    const path = line?.slice(line.indexOf(name) + name.length);
    if (path === undefined || path === this.#path || !path.endsWith(`/${this.#unit}`)) return;
    this.#path = path;
    this.#inner = await filesOf(this.#runtime, path, this.#user);
  }

  #fixed({ slice, description }: Plan, pid: number): Property[] {
    const on = ["b", true] as const;
    const io = this.#host.mode === "v2" ? "IOAccounting" : "BlockIOAccounting";
    return [
      ["Description", ["s", description]],
      ["Slice", ["s", slice]],
      ["Delegate", on],
      ["DefaultDependencies", ["b", false]],
      ["PIDs", ["au", [pid]]],
      ["MemoryAccounting", on],
      ["CPUAccounting", on],
      ["TasksAccounting", on],
      [io, on],
    ];
  }

  /** A file of the cgroup as it is now. */
  readonly #current = (file: string): string | undefined => {
    const { paths } = this.record;
    const controller = file.slice(0, file.indexOf("."));
    return readFile(`${paths[controller] ?? paths[""]}/${file}`);
  };

  #hasBfq(): boolean {
    return (this.#current("io.bfq.weight") ?? this.#current("blkio.bfq.weight")) !== undefined;
  }

  #propertiesOf(settings: readonly Setting[]): Property[] {
    const all = settingProperties(this.#hasBfq() ? inBfqWeights(settings) : settings);
    // On v1 systemd leaves cpu.idle alone, and would take the weight of 0 for shares, for good.
    return this.#host.mode === "v2" ? all : all.filter(([name]) => name !== "CPUWeight");
  }

  async #set(properties: readonly Property[]): Promise<void> {
    if (properties.length === 0) return;
    await this.#ask((systemd) => systemd.setProperties(this.#unit, properties));
  }

  async #properties(resources: Resources, prefix: string): Promise<Property[]> {
    const limits = this.#propertiesOf(await this.#settings(resources, prefix));
    if (this.#host.mode === "v2") return limits;
    const { deviceProperties } = await import("./devices.ts");
    return [...limits, ...deviceProperties(resources, prefix)];
  }

  async #settings(resources: Resources, prefix: string): Promise<Setting[]> {
    if (this.#host.mode !== "v2") {
      const { settingsV1 } = await import("../v1/resources.ts");
      return settingsV1(resources, prefix);
    }
    const { settingsV2 } = await import("../v2/resources.ts");
    return settingsV2(resources, prefix, this.#current);
  }

  /** An error of systemd comes with the name of the unit. */
  async #ask<T>(body: (systemd: Systemd) => Promise<T>): Promise<T> {
    try {
      return await Systemd.with(this.#runtime, this.#user, body);
    } catch (error) {
      throw new RuntsError(`have systemd manage ${quote(this.#unit)}`, { cause: error });
    }
  }

  /** root writes the files; a user may not move processes over from another cgroup. */
  joinFiles(sub?: SubCgroups, initPid?: number): CgroupJoin {
    const join = this.#inner.joinFiles(this.#below(sub), initPid);
    return this.#user ? { files: [], moved: true } : join;
  }

  /** With a subgroup, the limits of the scope stay out of reach. */
  own(hostUid: number): void {
    this.#inner.own(hostUid, this.#delegatedDirectory() ?? this.#subdirectory());
  }

  async update(asked: Resources): Promise<void> {
    const resources = heldByUnit(asked, this.#current);
    const settings = await this.#settings(resources, "");
    const { paths } = this.record;
    // Before systemd writes the limit.
    checkMemoryUse(paths["memory"] ?? paths[""], resources, "");
    const former = this.#propertiesOf(this.#former(settings));
    const properties = resources.devices === undefined
      ? this.#propertiesOf(settings)
      : await this.#properties(resources, "");
    await this.#set(properties);
    try {
      await this.#inner.update(resources);
    } catch (error) {
      await this.#set(former).catch(() => {});
      throw error;
    }
  }

  /** The same settings with the values that the files have now. */
  #former(settings: readonly Setting[]): Setting[] {
    const { paths } = this.record;
    return settings.flatMap((setting) => {
      const directory = paths[setting.controller] ?? paths[""];
      if (setting.line !== undefined) return [];
      const forms = setting.forms.flatMap(({ file }) => {
        const value = readFile(`${directory}/${file}`);
        return value ? [{ file, value }] : [];
      });
      const [form] = forms;
      return form === undefined ? [] : [{ ...setting, forms: [form] as const }];
    });
  }

  frozen(): boolean {
    return this.#inner.frozen();
  }

  freeze(): Promise<void> {
    return this.#inner.freeze();
  }

  thaw(): Promise<void> {
    return this.#inner.thaw();
  }

  pids(): number[] {
    return this.#inner.pids();
  }

  async killAll(): Promise<void> {
    if (this.#ours) await this.#inner.killAll();
  }

  /** systemd removes the scope with its cgroup; what is left below it goes by hand. */
  async remove(): Promise<void> {
    if (!this.#ours) return;
    // A frozen process would keep the job from ending.
    await this.#inner.thaw();
    await this.#ask((systemd) => systemd.stop(this.#unit));
    await this.#inner.remove();
  }
}
