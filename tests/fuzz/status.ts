/** State directories: whatever is in them, they are listed, reported and can be deleted. */

import { assert, assertEquals } from "@std/assert";
import { recordOf } from "../../lib/cgroup/mod.ts";
import { detectHost } from "../../lib/cgroup/hierarchies.ts";
import { containerPaths } from "../../lib/cgroup/location.ts";
import { table } from "../../lib/cli/table.ts";
import { hasOwnPidNamespace, readCopyIfAny } from "../../lib/state/config_copy.ts";
import { remove } from "../../lib/container/delete.ts";
import { findResctrl } from "../../lib/host/intel_rdt.ts";
import { kill } from "../../lib/container/kill.ts";
import { list } from "../../lib/container/list.ts";
import { state } from "../../lib/container/state.ts";
import { reason } from "../../lib/base/errors.ts";
import { formatJson } from "../../lib/spec/json/json.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { StateDirectory } from "../../lib/state/directory.ts";
import { inspect } from "../../lib/state/inspect.ts";
import { readStat } from "../../lib/state/liveness.ts";
import { formatStatus, type Status } from "../../lib/state/status.ts";
import { checkError, isOneLine } from "../support/fuzz/answer.ts";
import { configs } from "../support/fuzz/corpus.ts";
import type { Target } from "../support/fuzz/target.ts";

/** No cgroup has this name, so nothing on this host is meant by what the files say. */
const ID = `runts-fuzz-${Deno.pid}`;

const FILES = ["status", "creating", "preparing", "config.json"];

/** An input is an object with the content of some files, or else the status as it is. */
export function status(): Target {
  const root = Deno.makeTempDirSync({ prefix: "runts-fuzz-" });
  Deno.writeTextFileSync(`${root}/other`, "");
  return {
    name: "status",
    seeds: seeds(),
    attempt: (input) => attempt(root, input),
    async close() {
      assertEquals(Array.from(Deno.readDirSync(root), ({ name }) => name), ["other"]);
      await Deno.remove(root, { recursive: true });
    },
  };
}

function seeds(): string[] {
  const gone: Status = {
    ...{ pid: 4_000_000, startTime: 8, cgroupPath: `/${ID}`, scope: "", rootfs: "rootfs" },
    ...{ systemdCgroup: false, bundle: "/bundle", created: "2020-01-01T00:00:00Z", owner: "root" },
    ...{ detached: true, externalDescriptors: ["/dev/null", "pipe:[1]"], annotations: { a: "b" } },
    bootId: Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim(),
    cgroup: {
      kind: "v1",
      path: `/${ID}`,
      paths: { memory: `/sys/fs/cgroup/memory/${ID}`, "": `/sys/fs/cgroup/unified/${ID}` },
    },
    startOps: [{ index: 1, op: "exec", from: "process.args" }],
  };
  const { cgroup: _, ...ofCrun } = gone;
  const mine = { pid: Deno.pid, startTime: readStat(Deno.pid)!.startTime };
  const all = [gone, { ...ofCrun, ...mine }, { ...ofCrun, cgroupPath: "" }];
  const texts = all.map((one) => formatStatus(one));
  const documents = texts.flatMap((text, index) => {
    const config = JSON.parse(configs()[index]!);
    const creating = { creator: mine, status: JSON.parse(text) };
    const preparing = { creator: { pid: 4_000_000, startTime: 1 }, status: creating.status };
    return [{ preparing, "config.json": config }, {
      status: JSON.parse(text),
      "config.json": config,
    }, {
      creating,
      "config.json": config,
    }];
  });
  return [...texts, ...documents.map((document) => JSON.stringify(document))];
}

const RUNTIME = new Runtime();

async function attempt(root: string, input: string): Promise<string> {
  const directory = new StateDirectory(new Runtime({ root }), ID);
  directory.make();
  try {
    write(directory, input);
    const answers = [await listed(root), await reported(root), await signalled(directory)];
    const harmless = isHarmless(directory);
    if (harmless) await deleted(directory);
    return `${answers.join("; ")}; ${harmless}`;
  } finally {
    if (directory.exists()) directory.remove();
  }
}

function write(directory: StateDirectory, input: string): void {
  let files: Record<string, unknown> | undefined;
  try {
    const value = JSON.parse(input);
    if (FILES.some((name) => name in value)) files = value;
  } catch {
    // as it is
  }
  for (const name of files ? FILES : []) {
    const value = files![name];
    if (value !== undefined) {
      directory.write(name, typeof value === "string" ? value : JSON.stringify(value));
    }
  }
  if (!files) directory.write("status", input);
}

/** One damaged container never breaks the list. */
async function listed(root: string): Promise<string> {
  const [entry, ...others] = await list({ root });
  assertEquals(others, []);
  assert(entry !== undefined);
  const { id, pid, status, bundle, created, owner, error } = entry;
  assertEquals(id, ID);
  assert(Number.isSafeInteger(pid) && pid >= 0);
  for (const text of [status, bundle, created, owner]) assertEquals(typeof text, "string");
  assertEquals(table(["A"], [[id, pid, status, bundle, created, owner]]).split("\n").length, 3);
  assert(error === undefined || isOneLine(error), error);
  return status;
}

async function reported(root: string): Promise<string> {
  try {
    const { rootfs, annotations = {}, ...rest } = await state({ root }, { id: ID });
    assertEquals(typeof rootfs, "string");
    assertEquals(Object.getPrototypeOf(annotations), Object.prototype);
    for (const value of Object.values(annotations)) assertEquals(typeof value, "string");
    return rest.status;
  } catch (error) {
    return checkError(error);
  }
}

/** Signal 0 reaches nobody. */
async function signalled(directory: StateDirectory): Promise<string> {
  try {
    hasOwnPidNamespace(directory);
    await kill({ root: directory.root }, { id: ID, signal: 0 });
    return "alive";
  } catch (error) {
    return checkError(error);
  }
}

/** Whether to delete it touches nothing but its directory: the files can name anything. */
function isHarmless(directory: StateDirectory): boolean {
  const copy = readCopyIfAny(directory);
  // What has a path would be executed.
  if (formatJson(copy?.hooks ?? "").includes('"path"')) return false;
  if (copy?.linux?.intelRdt !== undefined && findResctrl(RUNTIME.caller) !== undefined) {
    return false;
  }
  try {
    if (!isUnused(containerPaths(detectHost(RUNTIME), ID, copy?.linux?.cgroupsPath))) return false;
  } catch (error) {
    // No cgroups here, or not even text.
    if (reason(error).includes("mounted")) return false;
  }
  const intent = directory.readIntent();
  if (intent?.mountsBefore !== undefined) return false;
  const found = [inspectIfSound(directory), intent];
  return found.every((one) => one === undefined || isStatusHarmless(one.status));
}

function inspectIfSound(directory: StateDirectory): { status: Status } | undefined {
  try {
    return inspect(directory);
  } catch {
    return undefined;
  }
}

function isStatusHarmless({ pid, cgroup, cgroupPath, scope, hostMounts }: Status): boolean {
  if (readStat(pid) !== undefined || scope !== "" || hostMounts?.length) return false;
  const record = cgroup ?? recordOf(RUNTIME, cgroupPath, "");
  return record.kind !== "systemd" && isUnused(record.paths);
}

function isUnused(paths: Readonly<Record<string, string>>): boolean {
  return Object.values(paths).every((path) => {
    try {
      Deno.lstatSync(path);
      return false;
    } catch {
      return true;
    }
  });
}

/** By force it goes. */
async function deleted(directory: StateDirectory): Promise<void> {
  const { root } = directory;
  await remove({ root, warn: (text) => assert(isOneLine(text), text) }, { id: ID, force: true });
  assert(!directory.exists(), "it is still there");
}
