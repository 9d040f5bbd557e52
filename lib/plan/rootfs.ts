/** The root filesystem: from opening it to entering it, and what is put on it afterwards. */

import { cleanPathFrom } from "../base/paths.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { Propagation } from "../spec/values/mount_options.ts";
import { HOOK_OUTPUTS } from "../spec/values/hook_outputs.ts";
import type { HookKind, Spec } from "../spec/types/config.ts";
import { type Container, type PlanWriter } from "./plan_writer.ts";
import { EnterMethod, RootBind } from "../wire/ops.ts";
import { finalPropagation, propagationFlags } from "./propagation.ts";
import type { InnerState } from "./plan.ts";

/**
 * With a shared root the mounts of the namespace keep the host's peers, so that volumes may be shared with
 * it; in all other cases nothing that is mounted in the container reaches the host, hooks' mounts included.
 */
export function partFromHost(writer: PlanWriter, { linux, mountNamespace }: Container): void {
  if (!mountNamespace) return;
  const wanted = linux.rootfsPropagation;
  const flags = wanted && isShared(wanted)
    ? propagationFlags(wanted)
    : wanted === "rprivate" || wanted === "runbindable"
    ? Propagation.private | Propagation.recursive
    : Propagation.slave | Propagation.recursive;
  const from = wanted ? "linux.rootfsPropagation" : "";
  writer.add({ op: "propagation", from, path: "/", flags });
}

function isShared(wanted: string | undefined): boolean {
  return wanted?.endsWith("shared") === true;
}

/** Opens the root filesystem. A shared root is to be alone in its group. */
export function openRootfs(writer: PlanWriter, container: Container, slot: number): void {
  const { rootfs: path, linux, mountNamespace } = container;
  const readonly = container.input.spec.root.readonly === true;
  if (!mountNamespace) {
    if (readonly && path === "/") {
      throw new RuntsError('make "/" read-only', {
        configPath: "root.readonly",
        cause: "without a mount namespace it is the host's root",
        hint: "add a mount namespace to linux.namespaces",
      });
    }
    const bind = readonly ? RootBind.boundAlone : RootBind.unbound;
    writer.add({ op: "rootfs", from: "root.path", path, bind, slot: -1 });
    return;
  }
  const bind = isShared(linux.rootfsPropagation) ? RootBind.boundPrivate : RootBind.bound;
  writer.add({ op: "rootfs", from: "root.path", path, bind, slot });
}

/** Makes the root filesystem the root of the file tree, and restricts what is to be seen there. */
export function enterRootfs(writer: PlanWriter, container: Container): void {
  const { linux, mountNamespace, input } = container;
  const { root, process } = input.spec;
  if (root.readonly) {
    const cwd = cleanPathFrom("", process?.cwd ?? "/");
    if (cwd !== "/") writer.add({ op: "mkdir", from: "process.cwd", path: cwd, mode: 0o755 });
    writer.add({ op: "readonly_root", from: "root.readonly" });
  }
  const method = !mountNamespace
    ? EnterMethod.chroot
    : input.noPivot
    ? EnterMethod.move
    : EnterMethod.pivot;
  writer.add({ op: "enter_root", from: "root.path", method });
  linux.readonlyPaths?.forEach((path, index) => {
    writer.add({ op: "readonly", from: `linux.readonlyPaths[${index}]`, path });
  });
  const masked = new Set<string>();
  const label = linux.mountLabel ?? "";
  linux.maskedPaths?.forEach((path, index) => {
    if (masked.has(path)) return;
    masked.add(path);
    writer.add({ op: "mask", from: `linux.maskedPaths[${index}]`, path, label });
  });
  // Last, because what is unbindable cannot be made read-only by a bind mount.
  const flags = finalPropagation(linux);
  if (mountNamespace && flags) {
    writer.add({ op: "propagation", from: "linux.rootfsPropagation", path: "/", flags });
  }
}

/** What hooks of a kind read, if there are any. */
export function addHookState(
  writer: PlanWriter,
  { hooks }: Spec,
  kind: HookKind,
  status: InnerState,
): void {
  if (!hooks?.[kind]?.length) return;
  const slot = writer.slot({ kind: "hook-state", status });
  writer.add({ op: "hook_state", from: `hooks.${kind}`, slot });
}

/** Hooks of one kind. Those that give no environment have the program's. */
export function addHooks(writer: PlanWriter, { hooks, annotations }: Spec, kind: HookKind): void {
  hooks?.[kind]?.forEach((hook, index) => {
    const { path, timeout = 0 } = hook;
    writer.add({
      op: "hook",
      from: `hooks.${kind}[${index}]`,
      kind,
      index,
      path,
      args: hook.args?.length ? hook.args : [path],
      env: hook.env ?? [],
      has_env: Number(hook.env !== undefined),
      timeout,
      stdout: outputSlot(writer, annotations, HOOK_OUTPUTS.stdout),
      stderr: outputSlot(writer, annotations, HOOK_OUTPUTS.stderr),
      limits: Number(kind === "startContainer"),
    });
  });
}

/** For hooks before `confine`, from where on init itself has the limits. */
export function addHookLimits(writer: PlanWriter, { hooks }: Spec): void {
  if (!hooks?.createContainer?.length) return;
  for (const limit of writer.host.callerLimits ?? []) {
    writer.add({ op: "hook_limit", from: "", ...limit });
  }
}

/** The slot of the file that an annotation names; all hooks share it. */
function outputSlot(writer: PlanWriter, annotations: Spec["annotations"], name: string): number {
  const path = annotations?.[name];
  if (path === undefined) return -1;
  const from = `annotations[${quote(name)}]`;
  const known = writer.slots.findIndex((slot) => slot.kind === "hook-output" && slot.from === from);
  return known >= 0 ? known : writer.slot({ kind: "hook-output", path, from });
}
