/**
 * `ls --nesting`: containers within containers, as the host sees them. Nothing is run inside. Configurations are read below the
 * root filesystem of the container around them, out of which no symlink leads; what runs is told by the
 * cgroups, whose names LXC and runts have in common.
 */

import { openBelow } from "../../ffi/nodes.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { quote } from "../base/errors.ts";
import { isDirectory } from "../base/files.ts";
import { O_DIRECTORY, O_PATH } from "../base/linux.ts";
import { FREEZERS, isHeld } from "../cgroup/freezer.ts";
import { pidsBelow } from "../cgroup/files.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { recordedCgroup } from "../state/cgroup.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { pidsOf } from "../state/liveness.ts";
import type { LxcConfig } from "./config/config.ts";
import { hostFiles, readConfig } from "./config/read.ts";
import { usageIn } from "./life/facts.ts";
import { systemId } from "./life/record.ts";
import { systemNow } from "./life/state.ts";
import { type Column, configuredCells, type Row, stateCells } from "./list.ts";
import { ifSeen, NestedFiles } from "./nested_files.ts";

/** How the root of a container is opened. */
const ROOT = O_PATH | O_DIRECTORY;

/** What is listed. */
export interface Listing {
  /** The directory of containers, the same in each of them. */
  readonly lxcpath: string;
  readonly columns: readonly Column[];
  /** How many levels below those of the host. */
  readonly levels: number;
  readonly isNamed: (name: string) => boolean;
  readonly isWanted: (row: Row) => boolean;
}

/** A container that is in others. */
interface NestedRow {
  readonly row: Row;
  /** The names of those that it is in, the outermost first. */
  readonly within: readonly string[];
}

/** A container that others may be in. */
interface Outer {
  readonly names: readonly string[];
  /** Opens its root filesystem (O_PATH); undefined where that cannot be. */
  readonly open: () => number | undefined;
  /** Its cgroups, absolute, by controller ("" for v2). */
  readonly cgroups: Readonly<Record<string, string>>;
}

/** The containers within those of the host. */
export class Nested {
  constructor(private readonly runtime: LoadedRuntime, private readonly listing: Listing) {}

  /** Those within one, by its name; each directly behind the one that it is in. */
  async of(name: string): Promise<NestedRow[]> {
    return await this.#within(await this.#outermost(name));
  }

  async #outermost(name: string): Promise<Outer> {
    const { runtime, listing: { lxcpath } } = this;
    const { helper } = runtime;
    const names = [name];
    const id = systemId(runtime, lxcpath, name);
    const { pid } = systemNow(runtime, id);
    if (pid !== undefined) {
      const { paths } = recordedCgroup(runtime, inspect(new StateDirectory(runtime, id)).status);
      const open = () => this.#rootOf(pid, () => systemNow(runtime, id).pid === pid);
      return { names, open, cgroups: paths };
    }
    const file = `${lxcpath}/${name}/config`;
    const { config } = await readConfig({ file }, hostFiles(runtime.files.read));
    const open = () => openStopped(config, (path) => helper.open(path, ROOT));
    return { names, open, cgroups: {} };
  }

  /** A process may end, and its number be another's, while its root is opened. */
  #rootOf(pid: number, isStill: () => boolean): number | undefined {
    const { helper } = this.runtime;
    const fd = ifSeen(() => helper.open(`/proc/${pid}/root`, ROOT));
    if (fd === undefined || isStill()) return fd;
    helper.close(fd);
    return undefined;
  }

  async #within(outer: Outer): Promise<NestedRow[]> {
    if (outer.names.length > this.listing.levels) return [];
    const fd = outer.open();
    if (fd === undefined) return [];
    try {
      return await this.#below(outer, ownDescriptor(fd));
    } finally {
      this.runtime.helper.close(fd);
    }
  }

  async #below(outer: Outer, root: string): Promise<NestedRow[]> {
    const { listing: { lxcpath, isNamed }, runtime: { helper } } = this;
    const names = new NestedFiles(helper, root).list(lxcpath) ?? [];
    const rows: NestedRow[] = [];
    for (const name of names.filter((one) => !one.startsWith(".") && isNamed(one)).toSorted()) {
      const files = new NestedFiles(helper, root);
      const file = `${lxcpath}/${name}/config`;
      if (files.isFile(file)) rows.push(...await this.#one(outer, name, { root, file, files }));
    }
    return rows;
  }

  /** One that is there, and those within. */
  async #one(
    outer: Outer,
    name: string,
    { root, file, files }: { root: string; file: string; files: NestedFiles },
  ): Promise<NestedRow[]> {
    const { runtime, listing } = this;
    const read = await readConfig({ file }, files);
    const settings = configuredCells(read);
    const names = [...outer.names, name];
    if (settings === undefined) {
      runtime.warn(`the configuration of ${quote(names.join("/"))} is not sound`);
      return [];
    }
    const { paths, pid, state } = nowOf(outer.cgroups, name);
    const usage = () => usageIn({ path: "", paths });
    const cells = await stateCells(runtime, { state, pid, usage }, listing.columns);
    const row = { NAME: name, ...cells, ...settings };
    if (!listing.isWanted(row)) return [];
    const open = () =>
      pid === undefined
        ? openStopped(read.config, (path) => openBelow(root, path, ROOT))
        : this.#rootOf(pid, () => nowOf(outer.cgroups, name).pid === pid);
    return [
      { row, within: outer.names },
      ...await this.#within({ names, open, cgroups: paths }),
    ];
  }
}

/** Of one that does not run; undefined for what would have to be mounted first. */
function openStopped(
  config: LxcConfig,
  open: (path: string) => number,
): number | undefined {
  const rootfs = config.get("lxc.rootfs.path")?.value;
  return rootfs?.driver === "dir" ? ifSeen(() => open(rootfs.parts[0]!)) : undefined;
}

/** A container, by the cgroups of the one that it is in. */
function nowOf(
  outer: Readonly<Record<string, string>>,
  name: string,
): { paths: Record<string, string>; pid: number | undefined; state: string } {
  const own = Object.entries(outer).map(([key, path]) => [key, `${path}/lxc.payload.${name}`]);
  const paths: Record<string, string> = Object.fromEntries(
    own.filter(([, path]) => isDirectory(path!)),
  );
  const pid = initAmong(new Set(Object.values(paths).flatMap(pidsBelow)));
  const isFrozen = FREEZERS.some((key) => paths[key] !== undefined && isHeld(paths[key]));
  const state = pid === undefined ? "STOPPED" : isFrozen ? "FROZEN" : "RUNNING";
  return { paths, pid, state };
}

/** Number 1 of its pid namespace; those of containers further within are deeper. */
function initAmong(pids: ReadonlySet<number>): number | undefined {
  const inits = Array.from(pids).flatMap((pid) => {
    const numbers = ifSeen(() => pidsOf(pid)) ?? [];
    return numbers.at(-1) === 1 ? [{ pid, depth: numbers.length }] : [];
  });
  return inits.toSorted((a, b) => a.depth - b.depth)[0]?.pid;
}
