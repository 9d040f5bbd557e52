/**
 * runts and init with stops (c/common/stop.h), and a driver that takes a command from stop to stop,
 * so that a test can kill who it likes at each of them.
 */

import { fromFileUrl, toFileUrl } from "@std/path";
import { buildLibrary } from "../../tools/build/c.ts";
import { verbs } from "../../lib/commands/load.ts";
import { link } from "../../tools/build/link.ts";
import { DIST, HELPER, ROOT } from "../../tools/support/paths.ts";

/** Where the build with stops is. */
export const STOPS_FOLDER = `${DIST}/stops`;

/** The processes of a command. Stage 1 was executed, stage 2 is its clone. */
export type Role = "runts" | "stage 1" | "stage 2";

/** Where a process waits; `nth` counts its stops of that name from 1. */
export interface Stop {
  readonly role: Role;
  readonly name: string;
  readonly nth: number;
}

/** How a command went. */
export interface Walked {
  readonly code: number;
  readonly stderr: string;
  readonly stops: readonly Stop[];
  /** The processes of init, by pid. */
  readonly inits: ReadonlyMap<number, Passed>;
  /** Whoever was killed, and the last stop that it had passed; of runts the name alone is known. */
  readonly killed?: Pick<Passed, "role" | "last">;
}

/** A process of init and the last stop that it has passed. */
interface Passed {
  readonly role: Role;
  readonly startTime: number;
  readonly last: string;
}

/** Called at each stop; whom it names is killed. */
type At = (stop: Stop) => Role | undefined;

/** After these, init goes on without runts. */
const LAST_STOPS = ["@wait", "@announced"];
const TIMEOUT_MS = 120_000;
/** PF_FORKNOEXEC (linux/sched.h). */
const FORKED_ONLY = 0x40;

/** The command line of runts from source with the library that has stops; builds it if need be. */
export async function withStops(folder: string): Promise<string[]> {
  await buildLibrary(STOPS_FOLDER, ["-DRUNTS_STOPS"]);
  const main = fromFileUrl(new URL("../../main.ts", import.meta.url));
  const script = `${folder}/with-stops.ts`;
  Deno.writeTextFileSync(
    script,
    `Deno.env.set("RUNTS_LIBRARY", ${JSON.stringify(`${STOPS_FOLDER}/librunts.so`)});
    await import(${JSON.stringify(toFileUrl(main).href)});`,
  );
  return [Deno.execPath(), "run", "-A", "--no-check", script];
}

/** An executable whose front has stops; library and init have none. */
export function withFrontStops(): Promise<string> {
  return front ??= linkFront();
}

let front: Promise<string> | undefined;

async function linkFront(): Promise<string> {
  const executable = `${STOPS_FOLDER}/runts`;
  Deno.mkdirSync(STOPS_FOLDER, { recursive: true });
  const buildId = Deno.readTextFileSync(`${DIST}/build-id`);
  const sources = { root: ROOT, verbs: verbs(), library: HELPER, buildId };
  await link(sources, Deno.execPath(), executable, ["-DRUNTS_STOPS"]);
  return executable;
}

interface Stat {
  name: string;
  state: string;
  session: number;
  executed: boolean;
  startTime: number;
}

function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    name: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")),
    state: fields[0]!,
    session: Number(fields[3]),
    executed: (Number(fields[6]) & FORKED_ONLY) === 0,
    startTime: Number(fields[19]),
  };
}

/** Whether a process that a walk has seen still runs. */
export function isLeft(pid: number, { startTime }: { startTime: number }): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.startTime === startTime && !"ZX".includes(stat.state);
}

function childrenOf(pid: number): number[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`), ({ name }) => name).flatMap((thread) =>
      Deno.readTextFileSync(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean)
    ).map(Number);
  } catch {
    return []; // it has ended
  }
}

function inSession(session: number): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name))
    .filter((pid) => pid > 0 && statOf(pid)?.session === session);
}

function isInit(pid: number): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith("runts-init\0");
  } catch {
    return false;
  }
}

/** One command on its way. */
class Walk {
  readonly stops: Stop[] = [];
  readonly inits: Map<number, { role: Role; startTime: number; last: string }>;
  killed: Walked["killed"];
  readonly #runts: number;
  readonly #at: At;
  readonly #parents: () => readonly number[];
  /** Whether there is a process that may come to be init. */
  #nascent = false;

  constructor(
    runts: number,
    inits: Iterable<[number, Passed]>,
    at: At,
    parents: () => readonly number[],
  ) {
    this.#runts = runts;
    this.#parents = parents;
    this.inits = new Map(Array.from(inits, ([pid, init]) => [pid, { ...init }]));
    this.#at = at;
  }

  /** Looks at every process once, and lets those go on that wait. */
  step(): void {
    this.#look(this.#runts, "runts");
    this.#enlist();
    for (const [pid, init] of this.inits) {
      if (isLeft(pid, init)) init.last = this.#look(pid, init.role) ?? init.last;
    }
  }

  /** The children of runts, or what it left behind in its session, which init leaves later. */
  #enlist(): void {
    this.#nascent = false;
    const isOver = "ZX".includes(statOf(this.#runts)?.state ?? "X");
    const own = isOver ? inSession(this.#runts) : childrenOf(this.#runts);
    for (const pid of [...own, ...this.#parents().flatMap(childrenOf)]) {
      const stat = statOf(pid);
      if (stat === undefined || this.inits.has(pid) || "ZX".includes(stat.state)) continue;
      // Between clone(2) and execve(2) it is not init yet; what has executed another program is none.
      if (!isInit(pid)) {
        this.#nascent ||= !stat.executed;
        continue;
      }
      const role = stat.executed ? "stage 1" : "stage 2";
      this.inits.set(pid, { role, startTime: stat.startTime, last: "" });
    }
  }

  /** Whether nobody is on the way to a stop any more. */
  isSettled(): boolean {
    return !this.#nascent &&
      [...this.inits].every(([pid, init]) => !isLeft(pid, init) || LAST_STOPS.includes(init.last));
  }

  #look(pid: number, role: Role): string | undefined {
    const stat = statOf(pid);
    if (!stat?.name.startsWith("@")) return undefined;
    // The first process of a pid namespace sleeps; a thread of runts may do that at any time.
    if (stat.state !== "T" && !(stat.state === "S" && role !== "runts")) return undefined;
    const nth = this.stops.filter((one) => one.role === role && one.name === stat.name).length + 1;
    const stop = { role, name: stat.name, nth };
    this.stops.push(stop);
    if (role === "runts") this.#enlist();
    const victim = this.#at(stop);
    if (victim !== undefined) this.#kill(victim);
    if (victim !== role) signal(pid, stat.state === "T" ? "SIGCONT" : "SIGUSR1");
    return stat.name;
  }

  #kill(victim: Role): void {
    if (victim === "runts") {
      this.killed = { role: victim, last: "" };
      return signal(this.#runts, "SIGKILL");
    }
    for (const [pid, init] of this.inits) {
      if (init.role !== victim || !isLeft(pid, init)) continue;
      this.killed = { role: victim, last: init.last };
      signal(pid, "SIGKILL");
    }
  }
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // it has just ended
  }
}

/**
 * Takes a command from stop to stop until it has ended and init waits, runs the program, or is gone.
 *
 * @param inits of the container, when it was made by an earlier walk
 * @param parents who else may be the parent of init: monitors
 */
export async function walk(
  line: readonly string[],
  at: At,
  inits: Iterable<[number, Passed]> = [],
  parents: () => readonly number[] = () => [],
): Promise<Walked> {
  const stderr = Deno.makeTempFileSync({ prefix: "runts-stderr-" });
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'err=$0; exec setsid "$@" 2>"$err"', stderr, ...line],
    stdin: "null",
    stdout: "null",
  }).spawn();
  let code: number | undefined;
  const ended = child.status.then((status) => code = status.code);
  const walk = new Walk(child.pid, inits, at, parents);
  const end = performance.now() + TIMEOUT_MS;
  try {
    for (let over = false; !over;) {
      over = code !== undefined;
      walk.step();
      over &&= walk.isSettled();
      if (performance.now() > end) {
        throw new Error(`it hangs after ${JSON.stringify(walk.stops.at(-1))}: ${line.join(" ")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const { stops, inits, killed } = walk;
    const said = Deno.readTextFileSync(stderr);
    return { code: await ended, stderr: said, stops, inits, ...(killed && { killed }) };
  } finally {
    if (code === undefined) child.kill("SIGKILL");
    await ended;
    Deno.removeSync(stderr);
  }
}
