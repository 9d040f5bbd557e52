/** Operations of a system container beside those of its configuration. */

import { isWithin } from "../base/paths.ts";
import { MountAttr } from "../spec/values/mount_options.ts";
import { CreateKind, MountFlag, MountKind, type Op, type OpOf } from "../wire/ops.ts";
import { mountOp } from "./mount_op.ts";
import type { ContainerInput } from "./plan.ts";
import type { PlanWriter } from "./plan_writer.ts";
import type { InnerStage, SystemInput } from "./system.ts";

/** The console, which init takes, and the terminals beside it. */
export function addTerminals(
  writer: PlanWriter,
  { system, spec: { process }, console }: ContainerInput,
): void {
  if (system === undefined) return;
  const uid = process?.user?.uid ?? 0;
  const { height: rows = 0, width: cols = 0 } = process?.consoleSize ?? {};
  const common = { op: "tty", rows: 0, cols: 0, uid, take: 0 } as const;
  if (console && process?.terminal) {
    const slot = writer.slot({ kind: "console" });
    const paths = ["/dev/console", ...system.consolePaths];
    writer.add({ ...common, from: "process.terminal", slot, paths, rows, cols, take: 1 });
  }
  for (const { name, path, link } of system.terminals) {
    const slot = writer.slot({ kind: "terminal", name });
    writer.add({ ...common, from: "beyond.ttys.count", slot, paths: [path] });
    if (link !== undefined) writer.add(linkTo(path, link));
  }
}

/** In the same directory or above it. */
function linkTo(path: string, link: string): Op {
  const target = path.slice(link.lastIndexOf("/") + 1);
  return { op: "symlink", from: "beyond.ttys.directory", target, path: link, replace: 1 };
}

/** Where the boot id of a system is, as LXC has it, and where programs look for theirs. */
const BOOT_ID = { file: "/dev/.lxc-boot-id", seen: "/proc/sys/kernel/random/boot_id" };

/** The file with the boot id, once there is a /dev. */
export function bootIdFile(system: SystemInput | undefined): Op[] {
  if (system?.bootId === undefined) return [];
  const text = `${system.bootId}\n`;
  return [{ op: "make_file", from: "beyond.dev.bootId", path: BOOT_ID.file, mode: 0o444, text }];
}

/** Shows it, in the root that was entered: above what is read-only there. */
export function bootIdMount(system: SystemInput | undefined): Op[] {
  if (system?.bootId === undefined) return [];
  const { rdonly, nosuid, noexec, nodev } = MountAttr;
  return [mountOp({
    from: "beyond.dev.bootId",
    kind: MountKind.bind,
    source: BOOT_ID.file,
    destination: BOOT_ID.seen,
    attr_set: rdonly | nosuid | noexec | nodev,
    flags: MountFlag.optional,
  })];
}

/** What stays writable below what is read-only: a mount of its own, in the root that was entered. */
export function writableOps(system: SystemInput | undefined): Op[] {
  return (system?.writable ?? []).map(({ from, path }) =>
    mountOp({
      from,
      kind: MountKind.bind,
      source: path,
      destination: path,
      attr_clear: MountAttr.rdonly,
      flags: MountFlag.optional,
    })
  );
}

/** Operations of mounts as the rules of a system container have them. */
export function byRule(ops: readonly Op[], system: SystemInput | undefined): readonly Op[] {
  if (system === undefined) return ops;
  return ops.map((step) => {
    if (step.op !== "mount") return step;
    const rule = system.mounts[step.from];
    if (rule === undefined) return withOpenFilesystem(step, system);
    return {
      ...step,
      create: rule.existing ? CreateKind.none : step.create,
      flags: step.flags | (rule.optional ? MountFlag.optional : 0),
    };
  });
}

/** Where something stays writable, the mount alone is read-only, and not the filesystem. */
function withOpenFilesystem(step: OpOf<"mount">, { writable }: SystemInput): Op {
  if (!writable.some(({ path }) => isWithin(path, step.destination))) return step;
  return { ...step, superblock: step.superblock.filter((flag) => flag !== "ro") };
}

/** The hooks of a stage. */
export function addInnerHooks(
  writer: PlanWriter,
  { system }: Pick<ContainerInput, "system">,
  stage: InnerStage,
): void {
  system?.hooks[stage]?.forEach(({ from, args, env }, index) => {
    writer.add({
      op: "hook",
      from,
      kind: stage,
      index,
      path: args[0]!,
      args,
      env,
      has_env: 1,
      timeout: 0,
      stdout: -1,
      stderr: -1,
      limits: Number(stage === "start"),
    });
  });
}
