/** What tests of monitors share: one with a folder, and small programs below it. */

import { LocalBody } from "../../lib/body/local.ts";
import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { type MonitorCalls, monitorCalls } from "../../ffi/monitor.ts";
import { type LogTarget, Monitor, type MonitorStdio } from "../../lib/body/monitor_client.ts";
import { O_DIRECTORY, O_PATH } from "../../lib/base/linux.ts";
import { encodePlan } from "../../lib/wire/encode.ts";
import type { Op } from "../../lib/wire/ops.ts";
import { isRunning } from "./host.ts";
import { until } from "./runtime.ts";

/** Which program a monitor is to start. */
interface Program {
  /** Default `init`. */
  readonly name?: string;
  /** A line for sh. */
  readonly script: string;
  /** Default: pipes without input. */
  readonly stdio?: MonitorStdio;
  /** Default: `cri` into the file `log` of the folder. */
  readonly log?: LogTarget;
  readonly oom?: number;
  /** Operations before the program is sought. */
  readonly ops?: readonly Op[];
  readonly fds?: readonly number[];
  readonly preserved?: readonly number[];
}

/** A process below a monitor. */
interface Started {
  readonly name: string;
  readonly pid: number;
  readonly pidfd: number;
  /** Its directory: exit.json and the like. */
  readonly folder: string;
}

/** A file named exit.json. */
interface ExitRecord {
  readonly pid: number;
  readonly code: number;
  readonly signal: number;
  readonly core: boolean;
  readonly oom: boolean;
  readonly at: string;
}

/** What a program on a terminal is started with. */
export const ON_TERMINAL: Pick<Program, "stdio" | "ops" | "fds"> = {
  stdio: { kind: "terminal", console: 0 },
  fds: [-1],
  ops: [
    { op: "setsid", from: "" },
    { op: "console", from: "", slot: 0, rows: 24, cols: 80, uid: 0, mount: 0 },
  ],
};

const LIMIT_MS = 60_000;
const SIGKILL = 9;

/** A folder, and a monitor that listens there. */
export class Watched implements AsyncDisposable {
  readonly #pidfds: number[] = [];

  private constructor(
    readonly helper: Helper,
    readonly monitor: Monitor,
    readonly folder: string,
    readonly pid: number,
  ) {}

  /** @param start what starts the monitor; default: that of this build */
  static async start(
    { idleMs = LIMIT_MS, start }: { idleMs?: number; start?: MonitorCalls["start"] } = {},
  ): Promise<Watched> {
    const helper = await loadHelper();
    const folder = await Deno.makeTempDir({ prefix: "runts-monitor-" });
    const path = `${folder}/monitor.sock`;
    const listening = monitorCalls().listen(path, 0o600);
    const options = { listening, idleMs, title: folder };
    const monitor = start === undefined
      ? await Monitor.start(helper, options, new LocalBody(helper))
      : (start({ ...options, connection: -1 }), await Monitor.connect(helper, path));
    helper.close(listening);
    return new Watched(helper, monitor, folder, (await monitor.hello()).pid);
  }

  /** One more connection. */
  async connect(): Promise<Monitor> {
    return await Monitor.connect(this.helper, `${this.folder}/monitor.sock`);
  }

  /** Starts a program by init and watches it. */
  async run(program: Program): Promise<Started> {
    const started = await this.spawn(program);
    await this.watch(started, program);
    return started;
  }

  async watch(
    { name, pid, folder }: Started,
    { log = this.log(), oom }: Pick<Program, "log" | "oom"> = {},
  ): Promise<void> {
    const directory = this.helper.open(folder, O_PATH | O_DIRECTORY);
    const more = oom === undefined ? {} : { oom };
    try {
      await this.monitor.watch({ name, pid, log, directory, ...more });
    } finally {
      this.helper.close(directory);
    }
  }

  /** Starts a program by init. */
  async spawn(program: Program): Promise<Started> {
    const { name = "init", script, stdio = { kind: "pipes", input: false }, ops = [] } = program;
    const { fds = [], preserved = [] } = program;
    const exec = { args: ["sh", "-c", script], env: ["PATH=/bin:/usr/bin"] };
    const plan = encodePlan([
      ...ops,
      { op: "find_program", from: "", name: "/bin/sh", search: "" },
      { op: "exec", from: "", ...exec, home: -1n, self_pid: 0 },
    ], this.helper.buildId);
    const request = { name, plan, fds, preserved, umask: 0o22, stdio };
    const { pid, pidfd, socket } = await this.monitor.spawn(request);
    this.helper.close(socket);
    this.#pidfds.push(pidfd);
    const folder = `${this.folder}/processes/${name}`;
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.mkdir(folder, { recursive: true });
    for (const fifo of ["exit", "control"]) this.helper.makeFifo(`${folder}/${fifo}`, 0o600);
    return { name, pid, pidfd, folder };
  }

  /** A log below the folder. */
  log(
    driver: "cri" | "json" | "raw" = "cri",
    more: { maxSize?: number; maxFiles?: number } = {},
  ): LogTarget {
    return { driver, path: `${this.folder}/log`, ...more };
  }

  /** What the log says. */
  async logged(name = "log"): Promise<string> {
    return await Deno.readTextFile(`${this.folder}/${name}`);
  }

  /** Waits as a shell does, for the fifo; gives the record. */
  async ended({ folder }: Started): Promise<ExitRecord> {
    const command = new Deno.Command("cat", {
      args: [`${folder}/exit`],
      stdout: "null",
      stderr: "null",
    });
    await command.output();
    return JSON.parse(await Deno.readTextFile(`${folder}/exit.json`));
  }

  kill({ pidfd }: Started): void {
    this.helper.sendSignal(pidfd, SIGKILL);
  }

  /** Waits until the monitor has ended. */
  async gone(): Promise<void> {
    await until("the monitor ends", () => !isRunning(this.pid));
  }

  /** Pids of the children that it has. */
  children(): number[] {
    try {
      const text = Deno.readTextFileSync(`/proc/${this.pid}/task/${this.pid}/children`);
      return text.split(" ").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  }

  #end(pid: number): void {
    let pidfd: number;
    try {
      pidfd = this.helper.openPidfd(pid);
    } catch {
      return; // it has been reaped
    }
    if (this.children().includes(pid)) this.helper.sendSignal(pidfd, SIGKILL);
    this.helper.close(pidfd);
  }

  /** What is left below it is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const last = await this.connect().catch(() => undefined);
    await last?.leave();
    last?.[Symbol.dispose]();
    this.monitor[Symbol.dispose]();
    for (const pidfd of this.#pidfds) this.helper.close(pidfd);
    await until("the monitor ends", () => {
      for (const pid of this.children()) this.#end(pid);
      return !isRunning(this.pid);
    });
    await Deno.remove(this.folder, { recursive: true });
  }
}
