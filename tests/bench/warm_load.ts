/** What a warm brain takes under the load of many callers, and what its fronts hold. */

import { memoryOf, ticksOf } from "../support/usage.ts";
import type { WarmBrain } from "../support/warm.ts";

/** A runtime, or a way of calling it. */
export interface Called {
  readonly name: string;
  readonly call: (...args: string[]) => Promise<number>;
}

const CALLERS = 16;
/** Cores of the host for which it is said what one thread would bear. */
const CORES = 32;
const KIB = 1024;
/** Clock ticks a second in /proc (USER_HZ), as milliseconds each. */
const TICK_MS = 10;
/** How often it is told what a brain has. */
const TOLD = 4;
/** What is left of a brain's memory once nobody asks is looked at after so many ms. */
const REST = 3_000;

/** Processor time, in ms. */
interface Taken {
  /** Of all threads, and of that of JavaScript. */
  readonly all: number;
  readonly main: number;
  /** Of all processes of the host. */
  readonly host: number;
}

function taken({ pid }: WarmBrain): Taken {
  const [, user, nice, system] = Deno.readTextFileSync("/proc/stat").split("\n")[0]!.split(/ +/);
  return {
    all: ticksOf(`/proc/${pid}`) * TICK_MS,
    main: ticksOf(`/proc/${pid}/task/${pid}`) * TICK_MS,
    host: (Number(user) + Number(nice) + Number(system)) * TICK_MS,
  };
}

/** Whole lives of containers by several callers: how many a second, and what they take; a line to print. */
export async function throughput(
  { name, call }: Called,
  { bundle, lives }: { readonly bundle: string; readonly lives: number },
  brain: WarmBrain,
): Promise<string> {
  let next = 0;
  const before = taken(brain);
  const start = performance.now();
  const caller = async () => {
    for (let life; (life = next++) < lives;) {
      const id = `l${Deno.pid}-${life}`;
      await call("create", "--bundle", bundle, id);
      await call("start", id);
      await call("delete", "--force", id);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const rate = lives / (performance.now() - start) * 1000;
  const after = taken(brain);
  const each = (key: keyof Taken) => (after[key] - before[key]) / lives;
  const line = `${lives} containers by ${CALLERS} callers, ${name}: ${rate.toFixed(0)} a second, ` +
    `${each("host").toFixed(1)} ms of the host's processors each`;
  if (name !== "warm") return `${line}; ${CORES} cores: ${whole(CORES, each("host"))} a second`;
  return `${line}, of which ${each("all").toFixed(1)} ms the brain's, ${
    each("main").toFixed(1)
  } ms in its thread of JavaScript; ${CORES} cores: ${
    whole(CORES, each("host"))
  } a second, that thread: ${whole(1, each("main"))}`;
}

/** How many a second so many cores bear. */
function whole(cores: number, eachMs: number): string {
  return (cores * 1000 / eachMs).toFixed(0);
}

/** What a front has that waits for a program; a line to print. */
export async function frontMemory(
  line: readonly string[],
  env: Record<string, string>,
): Promise<string> {
  const front = new Deno.Command(line[0]!, { args: line.slice(1), env, stdout: "piped" }).spawn();
  const reader = front.stdout.getReader();
  await reader.read(); // the program runs
  const { resident, share, own } = memoryOf(front.pid);
  front.kill("SIGKILL");
  await reader.cancel();
  await front.status;
  return `front: ${resident} kB resident, its share ${share} kB, of its own ${own} kB`;
}

/** What a brain has, and what there is of the host's that commands could leave. */
async function standing(brain: WarmBrain, root: string): Promise<string> {
  const { resident, own } = memoryOf(brain.pid);
  const { length: descriptors } = await brain.ownDescriptors();
  const children = Deno.readTextFileSync(`/proc/${brain.pid}/task/${brain.pid}/children`);
  const mounts = Deno.readTextFileSync("/proc/self/mountinfo").split("\n");
  const threads = [...Deno.readDirSync(`/proc/${brain.pid}/task`)].length;
  return `${(resident / KIB).toFixed(0)} MB resident, ${(own / KIB).toFixed(0)} of its own; ` +
    `${descriptors} descriptors, ${threads} threads, ` +
    `${children.split(" ").filter(Boolean).length} children, ` +
    `${mounts.filter((mount) => mount.includes(root)).length} mounts below the root`;
}

/** Commands by several callers until the brain has carried so many out; prints what it has meanwhile. */
export async function grow(
  { call }: Called,
  brain: WarmBrain,
  { bundle, commands, root }: {
    readonly bundle: string;
    readonly commands: number;
    readonly root: string;
  },
): Promise<void> {
  const id = `g${Deno.pid}`;
  await call("create", "--bundle", bundle, id);
  await call("start", id);
  const start = await brain.done();
  let told = 0;
  for (let done = 0; done < commands; done = await brain.done() - start) {
    if (done >= told) {
      console.log(`brain after ${done} commands: ${await standing(brain, root)}`);
      told += commands / TOLD;
    }
    await Promise.all(Array.from({ length: CALLERS }, async (_, index) => {
      const other = `${id}-${index}`;
      await call("create", "--bundle", bundle, other);
      for (let count = 0; count < 3; count++) await call("exec", "--detach", id, "/bin/true");
      await call("delete", "--force", other);
    }));
  }
  await call("delete", "--force", id);
  console.log(`brain at the end: ${await standing(brain, root)}`);
  await new Promise((resolve) => setTimeout(resolve, REST));
  console.log(`brain after ${REST / 1000} s without work: ${await standing(brain, root)}`);
}
