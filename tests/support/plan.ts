/** What the tests of lib/plan share. */

import { planContainer } from "../../lib/plan/container.ts";
import { describeOp } from "../../lib/plan/describe.ts";
import { planExec } from "../../lib/plan/exec.ts";
import { type FieldType, type Op, type OpName, type OpOf, OPS } from "../../lib/wire/ops.ts";
import type {
  ContainerInput,
  ContainerPlan,
  ExecInput,
  Plan,
  PlanHost,
} from "../../lib/plan/plan.ts";
import { Message } from "../../lib/wire/messages.ts";
import { parseSpec } from "../../lib/spec/load.ts";
import type { Process, Spec } from "../../lib/spec/types/config.ts";
import { config, type Json } from "./spec.ts";

/** That of the plans that are encoded for {@linkcode decodePlan}. */
export const BUILD_ID = "0123456789abcdef".repeat(2);

/** A host with root's rights and cgroup v2 alone. */
export const HOST: PlanHost = {
  euid: 0,
  inUserNamespace: false,
  cgroups: () => [{
    mountPoint: "/sys/fs/cgroup",
    controllers: [],
    directory: "/sys/fs/cgroup/box",
  }],
};

const OPTIONS = {
  id: "box",
  host: HOST,
  cgroup: { files: [], moved: false },
  console: false,
  preserveFds: 0,
  noNewKeyring: false,
};

/** The template with other values at some paths, as it is after loading. */
export function specOf(changes: Json = {}): Spec {
  return parseSpec(JSON.stringify(config(changes)), "config.json");
}

/** The plan of a changed template in the bundle /bundle. */
export function planOf(
  changes: Json = {},
  input: Partial<ContainerInput> = {},
): ContainerPlan {
  return planContainer({
    ...OPTIONS,
    spec: specOf({ "process.terminal": false, ...changes }),
    bundle: "/bundle",
    noPivot: false,
    ...input,
  });
}

/** The plan of exec in a container of the changed template. */
export function planExecOf(
  changes: Json,
  namespaces: number,
  input: Partial<ExecInput> & { readonly process?: Process } = {},
): Plan {
  const spec = specOf({ "process.terminal": false, ...changes });
  return planExec({ ...OPTIONS, spec, process: spec.process!, namespaces, ...input });
}

/** All operations of one name. */
export function opsOf<K extends OpName>(plan: Plan, name: K): OpOf<K>[] {
  return plan.ops.filter((op): op is OpOf<K> => op.op === name);
}

/** The operation of one name; it must be the only one. */
export function onlyOp<K extends OpName>(plan: Plan, name: K): OpOf<K> {
  const [op, ...others] = opsOf(plan, name);
  if (op === undefined || others.length > 0) throw new Error(`${others.length + 1} of ${name}`);
  return op;
}

/** The operations that a JSON path asked for, in words. */
export function linesFrom(plan: Plan, from: string): string[] {
  return plan.ops.filter((op) => op.from === from).map(describeOp);
}

/** Names of the operations in order. */
export function names(plan: Plan): OpName[] {
  return plan.ops.map(({ op }) => op);
}

/** What an encoded plan says; the JSON paths are not on the wire. */
export function decodePlan(bytes: Uint8Array): Op[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const u32 = () => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const take = (length: number) => bytes.slice(at, at += length);
  const text = () => {
    const value = new TextDecoder("utf-8", { ignoreBOM: true }).decode(take(u32()));
    if (bytes[at++] !== 0) throw new Error("a text does not end in NUL");
    return value;
  };
  const readers: Record<FieldType, () => unknown> = {
    str: text,
    strs: () => Array.from({ length: u32() }, text),
    u32,
    i32: () => u32() | 0,
    u64: () => view.getBigUint64((at += 8) - 8, true),
    i64: () => view.getBigInt64((at += 8) - 8, true),
    u32s: () => Array.from({ length: u32() }, u32),
    bytes: () => take(u32()),
  };
  const [magic, id] = [u32(), String.fromCharCode(...take(BUILD_ID.length))];
  const [length, count] = [u32(), u32()];
  if (magic !== 0x4e4c5052 || id !== BUILD_ID || length !== bytes.length) throw new Error("header");
  const ops = Array.from({ length: count }, () => {
    const code = u32();
    const end = u32() + at;
    const [op, schema] = Object.entries(OPS).find(([, schema]) => schema.code === code)!;
    const fields = Object.entries(schema.fields)
      .map(([name, type]) => [name, readers[type as FieldType]()]);
    if (at !== end) throw new Error(`${op} has another length than its fields`);
    return { op, from: "", ...Object.fromEntries(fields) };
  });
  if (at !== bytes.length) throw new Error("bytes after the last operation");
  return ops;
}

/** Whether init asks for its id maps on the way. */
export function asksForMaps(plan: Plan): boolean {
  return opsOf(plan, "sync").some(({ message }) => message === Message.maps);
}
