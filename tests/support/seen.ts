/** Containers that stay, and what the payload program sees in them. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config, idle } from "./bundle.ts";
import { type TestRuntime, withRuntime } from "./host.ts";
import { addPayload } from "./payload.ts";
import { type CommandOptions, type Output, until } from "./runtime.ts";

/** What `payload report` prints. */
export interface Seen {
  /** What each open descriptor is, by number. */
  readonly fds: Readonly<Record<string, string>>;
  /** Path of the terminal that standard input is, else empty. */
  readonly terminal: string;
  readonly size: readonly [rows: number, columns: number];
  readonly onlcr: boolean;
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Foreground process group of the terminal, or -1. */
  readonly foreground: number;
  readonly env: readonly string[];
  readonly cwd: string;
  /** proc_pid_status(5). */
  readonly status: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, readonly [soft: number, hard: number]>>;
  /** proc_pid_cgroup(5). */
  readonly cgroups: string;
  readonly oomScoreAdj: string;
  readonly policy: number;
  readonly nice: number;
  readonly ioprio: readonly [level: number, priority: number];
  readonly personality: number;
  /** Further attributes that execve(2) leaves as they are. */
  readonly kept: Readonly<Record<string, unknown>>;
  /** Of the caller, or what stands in its place. */
  readonly given: {
    /** Of the session keyring, and what keyctl_describe(3) says of it. */
    readonly serial: number;
    readonly keyring: string;
    /** MPOL_* (linux/mempolicy.h). */
    readonly memoryPolicy: number;
    readonly priority: number;
    readonly loginUid: string;
    readonly label: string;
    readonly dumpable: number;
  };
  readonly namespaces: Readonly<Record<string, string>>;
}

/** A container whose first process sleeps. */
export class Sleeper {
  constructor(readonly runtime: TestRuntime, readonly id: string, readonly bundle: Bundle) {}

  /** exec with options and the words of the program. */
  exec(
    options: readonly string[],
    words: readonly string[],
    how: CommandOptions = {},
  ): Promise<Output> {
    return this.runtime.run(["exec", ...options, this.id, ...words], how);
  }

  /** exec of `payload report`, which must succeed. */
  async seen(options: readonly string[] = [], how: CommandOptions = {}): Promise<Seen> {
    return parseSeen(await this.exec(options, ["/bin/payload", "report"], how));
  }

  /** exec of a process document that says `payload report`; its other fields are given. */
  async seenBy(process: Config, options: readonly string[] = []): Promise<Seen> {
    const { code, stdout, stderr } = await this.document(
      { cwd: "/", user: { uid: 0, gid: 0 }, args: ["/bin/payload", "report"], ...process },
      options,
    );
    return parseSeen({ code, stdout, stderr });
  }

  /** exec of a process document. */
  document(process: Config, options: readonly string[] = []): Promise<Output> {
    const file = `${this.bundle.path}/process.json`;
    Deno.writeTextFileSync(file, JSON.stringify(process));
    return this.runtime.run(["exec", ...options, "--process", file, this.id]);
  }

  async pid(): Promise<number> {
    return (await this.runtime.state(this.id)).pid;
  }

  /** Processes that it has, as the host numbers them. */
  async pids(): Promise<number[]> {
    return JSON.parse(await this.runtime.ok(["ps", "--format", "json", this.id]));
  }
}

/** The report in an output that must be a success. */
export function parseSeen({ code, stdout, stderr }: Output): Seen {
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return JSON.parse(stdout);
}

/** Runs a container that sleeps unless it is edited, and deletes it afterwards. */
export async function withDetached(
  runtime: TestRuntime,
  edit: (config: Config, bundle: Bundle) => void | Promise<void>,
  body: (id: string, bundle: Bundle) => Promise<void>,
): Promise<void> {
  using bundle = new Bundle(idle);
  await edit(bundle.config, bundle);
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  try {
    await body(id, bundle);
  } finally {
    await runtime.ok(["delete", "--force", id]);
  }
}

/** Runs a test with a sleeping container, which is deleted afterwards. */
export async function withSleeper(
  edit: (config: Config, bundle: Bundle) => void,
  body: (sleeper: Sleeper) => Promise<void>,
): Promise<void> {
  await withRuntime((runtime) =>
    withDetached(runtime, async (config, bundle) => {
      await addPayload(bundle, "payload");
      edit(config, bundle);
    }, (id, bundle) => body(new Sleeper(runtime, id, bundle)))
  );
}

/** A test of exec in a container that sleeps. */
export function execTest(
  name: string,
  edit: (config: Config) => void,
  body: (sleeper: Sleeper) => Promise<void>,
  options: { ignore?: boolean } = {},
): void {
  Deno.test({ name: `exec ${name}`, ...options, fn: () => withSleeper(edit, body) });
}

/** Numbers of the signals in a mask of /proc/PID/status. */
export function signalsOf(mask: string): number[] {
  const bits = BigInt(`0x${mask}`);
  return [...Array(64).keys()].filter((bit) => bits >> BigInt(bit) & 1n).map((bit) => bit + 1);
}

/** Waits until a process has a handler for a signal: the first one of a pid namespace gets no other. */
export function untilCaught(pid: number, signal: number): Promise<void> {
  return until(`process ${pid} catches signal ${signal}`, () => {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return signalsOf(/^SigCgt:\s*(\w+)/m.exec(status)![1]!).includes(signal);
  });
}
