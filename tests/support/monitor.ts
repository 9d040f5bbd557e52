/** What tests of monitors share: one with a folder, and small programs below it. */

import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { monitorCalls } from "../../ffi/monitor.ts";
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
}

/** A process below a monitor. */
interface Started {
  readonly pid: number;
  readonly pidfd: number;
  /** Its directory: process.json and the like. */
  readonly folder: string;
}

const LIMIT_MS = 60_000;

/** A folder, and a monitor that listens there. */
export class Watched implements AsyncDisposable {
  readonly #pidfds: number[] = [];

  private constructor(
    readonly helper: Helper,
    readonly monitor: Monitor,
    readonly folder: string,
    readonly pid: number,
  ) {}

  static async start(options: { idleMs?: number } = {}): Promise<Watched> {
    const helper = await loadHelper();
    const folder = await Deno.makeTempDir({ prefix: "runts-monitor-" });
    const listening = monitorCalls().listen(`${folder}/monitor.sock`, 0o600);
    const { idleMs = LIMIT_MS } = options;
    const monitor = Monitor.start(helper, { listening, idleMs, title: folder });
    helper.close(listening);
    return new Watched(helper, monitor, folder, (await monitor.hello()).pid);
  }

  /** One more connection. */
  async connect(): Promise<Monitor> {
    return await Monitor.connect(this.helper, `${this.folder}/monitor.sock`);
  }

  /** Starts a program by init and watches it. */
  async run(program: Program): Promise<Started> {
    const { name = "init", log = this.log(), oom } = program;
    const started = await this.spawn(program);
    const directory = this.helper.open(started.folder, O_PATH | O_DIRECTORY);
    try {
      await this.monitor.watch({
        name,
        pid: started.pid,
        log,
        directory,
        ...oom !== undefined && { oom },
      });
    } finally {
      this.helper.close(directory);
    }
    return started;
  }

  /** Starts a program by init. */
  async spawn({ name = "init", script, stdio, ops = [] }: Program): Promise<Started> {
    const plan = encodePlan(
      [
        ...ops,
        { op: "find_program", from: "", name: "/bin/sh", search: "" },
        {
          ...{ op: "exec", from: "", args: ["sh", "-c", script], env: ["PATH=/bin:/usr/bin"] },
          ...{ home: -1n, self_pid: 0 },
        } as Op,
      ],
      this.helper.buildId,
    );
    const folder = `${this.folder}/processes/${name}`;
    await Deno.mkdir(folder, { recursive: true });
    this.helper.makeFifo(`${folder}/exit`, 0o600);
    const spawned = await this.monitor.spawn({
      ...{ name, plan, umask: 0o22, stdio: stdio ?? { kind: "pipes", input: false } },
      fds: stdio?.kind === "terminal" ? [-1] : [],
    });
    this.helper.close(spawned.socket);
    this.#pidfds.push(spawned.pidfd);
    return { pid: spawned.pid, pidfd: spawned.pidfd, folder };
  }

  /** A log below the folder. */
  log(
    driver: "cri" | "json" | "raw" = "cri",
    more: { maxSize?: number; maxFiles?: number } = {},
  ): LogTarget {
    return { driver, path: `${this.folder}/log`, ...more };
  }

  /** Waits for the fifo of the end; gives the record. */
  async ended({ folder }: Started): Promise<Record<string, unknown>> {
    const fifo = await Deno.open(`${folder}/exit`).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (fifo !== undefined) { for await (const _ of fifo.readable); }
    return JSON.parse(await Deno.readTextFile(`${folder}/exit.json`));
  }

  /** Waits until the monitor has ended. */
  async gone(): Promise<void> {
    await until("the monitor ends", () => !isRunning(this.pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.monitor.leave().catch(() => {});
    this.monitor[Symbol.dispose]();
    for (const pidfd of this.#pidfds) this.helper.close(pidfd);
    await this.gone();
    await Deno.remove(this.folder, { recursive: true });
  }
}
