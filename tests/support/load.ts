/** Many containers and commands at a time. */

import { assertEquals } from "@std/assert";
import { command, commandLine, until } from "./runtime.ts";

/** What to do with which runtime. */
interface Load {
  readonly executable: string;
  readonly root: string;
  readonly bundle: string;
  /** Begins every id. */
  readonly prefix: string;
  readonly containers: number;
  /** How many commands run at a time. */
  readonly callers: number;
}

/** Milliseconds. */
interface LoadFigures {
  readonly total: number;
  /** The slowest command. */
  readonly slowest: number;
}

/** A command may take this long, in ms; above all, nobody waits longer for a lock. */
const BOUND = 60_000;

/**
 * Creates, starts, lists, stops and deletes containers by concurrent callers. Throws when a command
 * fails, or when a container is lost or left.
 */
export async function runLoad(load: Load): Promise<LoadFigures> {
  let slowest = 0;
  const call = async (...args: string[]): Promise<string> => {
    const start = performance.now();
    const line = commandLine(load.executable, ["--root", load.root, ...args]);
    const { code, stdout, stderr } = await command(line, { timeout: BOUND });
    slowest = Math.max(slowest, performance.now() - start);
    assertEquals(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const ids = Array.from({ length: load.containers }, (_, i) => `${load.prefix}-${i}`);
  const begin = performance.now();
  await inTurn(ids, load.callers, async (id) => {
    await call("create", "--bundle", load.bundle, id);
    await call("start", id);
    await call("list");
  });
  const listed = (await call("list", "--quiet")).trim().split("\n").sort();
  assertEquals(listed, [...ids].sort(), "containers that are lost");
  await inTurn(ids, load.callers, async (id) => {
    assertEquals(JSON.parse(await call("state", id)).status, "running");
    await call("kill", id, "KILL");
    const stopped = async () => JSON.parse(await call("state", id)).status === "stopped";
    await until(`${id} has stopped`, stopped, BOUND);
    await call("delete", id);
  });
  const total = performance.now() - begin;
  assertEquals((await call("list", "--quiet")).trim(), "", "containers that are left");
  return { total, slowest };
}

/** Works on a list by several callers. */
export async function inTurn<T>(
  list: readonly T[],
  callers: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = list.values();
  await Promise.all(Array.from({ length: callers }, async () => {
    for (const item of rest) await work(item);
  }));
}
