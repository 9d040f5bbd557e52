/**
 * Checks of a client, each run with runts, runc and crun side by side. A check is a shell script and
 * what it must print; runts has to pass it, and whether the peers do shows who is to blame if not.
 */

import { assertEquals } from "@std/assert";
import { type Output, PROJECT } from "../runtime.ts";
import { linkCriu } from "./criu.ts";
import { makeImage } from "./image.ts";
import { clientCgroups, hostMounts, restoreHost, Sandbox } from "./sandbox.ts";

/** Whether the host lets oom scores be lowered: CAP_SYS_RESOURCE (linux/capability.h). */
export const MAY_LOWER_SCORE = (parseInt(
  /^CapEff:\s*(\w+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]?.slice(-8) ?? "0",
  16,
) & 1 << 24) !== 0;

export interface Check {
  readonly name: string;
  /** Shell; the sandbox has `poll` for it. */
  readonly script: string;
  /** Standard output (and what the script sends there), whole or as a pattern. */
  readonly stdout: string | RegExp;
  /** Exit code; default 0. */
  readonly code?: number;
  /** This host lacks what it takes. */
  readonly ignore?: boolean;
  /** The others are not asked: what they would leave behind is no matter of their sandbox. */
  readonly isAlone?: boolean;
}

/** A check of what has an interface for programs: it throws unless all is well. */
export interface ApiCheck {
  readonly name: string;
  test(sandbox: Sandbox): Promise<void>;
}

interface Client {
  readonly name: string;
  /** Configures the client in a sandbox that has the image's archive, and starts its daemons. */
  prepare(sandbox: Sandbox): Promise<void>;
  readonly checks: readonly (Check | ApiCheck)[];
}

const NAMES = ["runts", "runc", "crun"] as const;
type Name = typeof NAMES[number];

/** The installed runtimes, by name. */
export function runtimes(): Map<Name, string> {
  const found = new Map<Name, string>([["runts", `${PROJECT}/dist/runts`]]);
  for (const name of ["runc", "crun"] as const) {
    const path = ["/usr/bin", "/usr/sbin"].map((at) => `${at}/${name}`).find(isFile);
    if (path !== undefined) found.set(name, path);
  }
  return found;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What is wrong with the outcome of a check; undefined if nothing. */
export function mismatch(check: Check, { code, stdout, stderr }: Output): string | undefined {
  const { code: wanted = 0 } = check;
  const fits = typeof check.stdout === "string"
    ? stdout === check.stdout
    : check.stdout.test(stdout);
  if (fits && code === wanted) return undefined;
  return `wanted ${wanted} and ${check.stdout}, got ${code} and ${stdout}${stderr}`;
}

/** Runs a check; undefined if it passes, else what is wrong. */
async function failure(sandbox: Sandbox, check: Check | ApiCheck): Promise<string | undefined> {
  try {
    if ("test" in check) return void await check.test(sandbox);
    return mismatch(check, await sandbox.run(check.script));
  } catch (error) {
    return String(error);
  }
}

/** The table check × runtime. */
function table(client: string, results: ReadonlyMap<string, ReadonlyMap<Name, string>>): string {
  const width = Math.max(...[...results.keys()].map((name) => name.length), client.length);
  const row = (name: string, cells: string[]) =>
    `${name.padEnd(width)}  ${cells.map((cell) => cell.padEnd(5)).join(" ")}`.trimEnd();
  return [
    row(client, [...NAMES]),
    ...[...results].map(([name, by]) => row(name, NAMES.map((one) => by.get(one) ?? "n/a"))),
  ].join("\n");
}

/** Declares the tests of a client: one a check. */
export function suite(client: Client): void {
  const sandboxes = new Map<Name, Sandbox>();
  const results = new Map<string, Map<Name, string>>();
  const before = { mounts: hostMounts(), cgroups: clientCgroups() };

  Deno.test.beforeAll(async () => {
    for (const [name, path] of runtimes()) sandboxes.set(name, await Sandbox.open(name, path));
    await Promise.all([...sandboxes.values()].map(async (sandbox) => {
      await makeImage(sandbox);
      await linkCriu(sandbox);
      await client.prepare(sandbox);
    }));
  });

  for (const check of client.checks) {
    const ignore = "ignore" in check && check.ignore === true;
    Deno.test({ name: `${client.name}: ${check.name}`, ignore, fn: () => run(check) });
  }

  async function run(check: Check | ApiCheck): Promise<void> {
    const failures = new Map<Name, string>();
    const row = new Map<Name, string>();
    results.set(check.name, row);
    const isAlone = "isAlone" in check && check.isAlone === true;
    const asked = [...sandboxes].filter(([name]) => !isAlone || name === "runts");
    await Promise.all(asked.map(async ([name, sandbox]) => {
      const wrong = await failure(sandbox, check);
      row.set(name, wrong === undefined ? "ok" : "FAIL");
      if (wrong !== undefined) failures.set(name, wrong);
    }));
    if (!failures.has("runts")) return;
    const peers = asked.map(([name]) => name).filter((name) => !failures.has(name));
    throw new Error(
      `${failures.get("runts")}\npassed by ${peers.join(" and ") || "no runtime"}` +
        [...failures].filter(([name]) => name !== "runts")
          .map(([name, wrong]) => `\n${name}: ${wrong}`).join(""),
    );
  }

  Deno.test.afterAll(async () => {
    for (const sandbox of sandboxes.values()) await sandbox.close();
    await restoreHost(before.cgroups);
    console.log(`\n${table(client.name, results)}\n`);
    assertEquals(hostMounts(), before.mounts, "mounts of the host");
  });
}
