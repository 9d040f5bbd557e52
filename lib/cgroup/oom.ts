/** Telling that the kernel killed a process of the container for its memory. */

import { RuntsError } from "../base/errors.ts";
import { O_RDONLY } from "../base/linux.ts";
import { load } from "../runtime/load.ts";
import type { OwnHelper, Runtime } from "../runtime/runtime.ts";
import { readFile, writeFile } from "./files.ts";
import { oomKills } from "./oom_kills.ts";
import type { CgroupRecord } from "./manager.ts";

/** kernfs files signal a change of content by POLLPRI. */
const POLLPRI = 2;
/** A lost cgroup is noticed after this many ms at the latest. */
const PATIENCE = 1000;

/**
 * Yields once for every time the container runs out of memory, as it happens. Ends when the
 * cgroup is removed, or when the signal is aborted.
 */
export async function* watchOom(
  runtime: Runtime,
  record: CgroupRecord,
  signal: AbortSignal,
): AsyncGenerator<void> {
  const { helper } = await load(runtime);
  const open: number[] = [];
  try {
    const memory = record.paths["memory"];
    if (memory !== undefined) yield* watchV1(helper, memory, open, signal);
    else yield* watchV2(helper, record.paths[""], signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const fd of open) helper.close(fd);
  }
}

/**
 * memory.oom_control tells an eventfd (Documentation/admin-guide/cgroup-v1/memory.rst).
 *
 * @param open gets the descriptors to close at the end
 */
async function* watchV1(
  helper: OwnHelper,
  directory: string,
  open: number[],
  signal: AbortSignal,
): AsyncGenerator<void> {
  const { makeEventfd } = await import("../../ffi/device_programs.ts");
  const events = await makeEventfd();
  open.push(events);
  const control = helper.open(`${directory}/memory.oom_control`, O_RDONLY);
  open.push(control);
  writeFile(`${directory}/cgroup.event_control`, `${events} ${control}`);
  while (!signal.aborted) {
    const ready = await helper.awaitFds([events], { timeoutMs: PATIENCE, signal });
    // The removal of the cgroup is an event, too.
    if (signal.aborted || readFile(`${directory}/memory.oom_control`) === undefined) return;
    if (ready.length === 0) continue;
    const count = helper.readAvailable(events, 8);
    if (count instanceof Uint8Array) yield* repeat(countOf(count));
  }
}

function countOf(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
}

function* repeat(times: number): Generator<void> {
  for (let index = 0; index < times; index++) yield;
}

/** memory.events counts; a poll tells that it changed. */
async function* watchV2(
  helper: OwnHelper,
  directory: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<void> {
  const file = `${directory}/memory.events`;
  if (directory === undefined || readFile(file) === undefined) {
    throw new RuntsError("watch for lack of memory", {
      cause: "the container has no cgroup with the memory controller",
    });
  }
  let seen = oomKills({ paths: { "": directory } });
  while (!signal.aborted) {
    await changed(helper, file, signal);
    if (signal.aborted || readFile(file) === undefined) return;
    const now = oomKills({ paths: { "": directory } });
    yield* repeat(now - seen);
    seen = now;
  }
}

/** A poll tells what has changed since the file was opened and read. */
async function changed(helper: OwnHelper, file: string, signal: AbortSignal): Promise<void> {
  const events = helper.open(file, O_RDONLY);
  try {
    helper.readAvailable(events, 512);
    await helper.awaitFds([events], { timeoutMs: PATIENCE, events: POLLPRI, signal });
  } finally {
    helper.close(events);
  }
}
