/**
 * Where the streams of a process come from and lead to, as clients of containerd name them: fifos, which are
 * held open both ways, so that a client may die and come back; files; programs that take the output.
 */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { delay } from "../base/delay.ts";
import { ENXIO } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { O_APPEND, O_CREAT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "../base/linux.ts";
import type { Forwards, ShimMonitor } from "../body/shim_monitor.ts";
import type { OwnHelper } from "../runtime/runtime.ts";
import type { Io } from "./record.ts";

/** How long a client may take to open its ends, and a program to be ready, in ms. */
const PATIENCE = 30_000;
const PAUSE_MAX = 20;

/** The streams of a process that is about to be started. All descriptors are closed by {@linkcode close}. */
export interface OpenStreams {
  /** For the program; undefined: it has a terminal. */
  readonly stdio: readonly [number, number, number] | undefined;
  readonly forwards: Forwards;
  /** The pid of the program that takes the output. */
  readonly logger?: number;
  close(): void;
}

/** What opening takes beside the names. */
interface StreamContext {
  readonly helper: OwnHelper;
  readonly monitor: ShimMonitor;
  readonly namespace: string;
  readonly id: string;
  /** What the monitor calls the process. */
  readonly name: string;
  readonly ioUid: number;
  readonly ioGid: number;
}

/** Opens them. Nothing is left open when this throws. */
export async function openStreams(context: StreamContext, io: Io): Promise<OpenStreams> {
  const opening = new Opening(context);
  try {
    return io.terminal ? await opening.terminal(io) : await opening.streams(io);
  } catch (error) {
    opening.close();
    throw error;
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Opening {
  readonly #context: StreamContext;
  readonly #open: number[] = [];
  readonly #forwards: Mutable<Forwards> = {};

  constructor(context: StreamContext) {
    this.#context = context;
  }

  close(): void {
    for (const fd of this.#open.splice(0)) this.#context.helper.close(fd);
  }

  /** Its master leads to where the output does. */
  async terminal({ stdin, stdout }: Io): Promise<OpenStreams> {
    if (stdin !== "") this.#forwards.stdin = await this.#input(stdin);
    const url = urlOf(stdout);
    if (url?.protocol === "binary:") {
      // The program reads a pipe, and what comes of the terminal goes there.
      const [source, target] = this.#pipe();
      const [errors] = this.#pipe();
      const logger = await this.#logger(url, source, errors);
      this.#forwards.outTarget = target;
      return this.#result(undefined, logger);
    }
    if (stdout !== "") this.#forwards.outTarget = await this.#target(stdout);
    return this.#result(undefined);
  }

  async streams({ stdin, stdout, stderr }: Io): Promise<OpenStreams> {
    const url = urlOf(stdout === "" ? stderr : stdout);
    const opened = stdin === "" ? Promise.resolve(this.#null()) : this.#input(stdin);
    if (url?.protocol === "binary:") {
      const input = await opened;
      const [outSource, out] = this.#pipe();
      const [errSource, err] = this.#pipe();
      const logger = await this.#logger(url, outSource, errSource);
      return this.#result([input, out, err], logger);
    }
    // All at once: each asks the monitor. What is opened late is closed, too.
    const all = await Promise.allSettled([
      opened,
      stdout === "" ? this.#null() : this.#output(stdout, "out"),
      stderr === "" ? this.#null() : this.#output(stderr, "err"),
    ]);
    const [input, out, err] = all.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    });
    return this.#result([input!, out!, err!]);
  }

  #result(stdio: OpenStreams["stdio"], logger?: number): OpenStreams {
    const close = () => this.close();
    return { stdio, forwards: this.#forwards, close, ...(logger !== undefined && { logger }) };
  }

  #keep(fd: number): number {
    this.#open.push(fd);
    return fd;
  }

  #null(): number {
    return this.#keep(this.#context.helper.open("/dev/null", O_RDWR));
  }

  /** Owned by whom the options say, so that the program can open it anew (/dev/stdout). */
  #pipe(): [number, number] {
    const { helper, ioUid, ioGid } = this.#context;
    const [source, target] = helper.pipe();
    this.#open.push(source, target);
    if (ioUid !== 0 || ioGid !== 0) Deno.chownSync(ownDescriptor(target), ioUid, ioGid);
    return [source, target];
  }

  /** The program, or a terminal, reads the fifo itself; it has no end as long as we are a writer. */
  async #input(path: string): Promise<number> {
    const { helper, monitor, name, ioUid, ioGid } = this.#context;
    this.#keep(await monitor.holdFifo(name, path, false));
    const reader = this.#keep(helper.open(path, O_RDONLY | O_NONBLOCK));
    this.#forwards.keep = this.#keep(helper.open(path, O_WRONLY | O_NONBLOCK));
    // Without O_NONBLOCK, which is no matter of the program's; now it does not wait for a writer.
    const blocking = this.#keep(helper.open(ownDescriptor(reader), O_RDONLY));
    if (ioUid !== 0 || ioGid !== 0) Deno.chownSync(ownDescriptor(blocking), ioUid, ioGid);
    return blocking;
  }

  async #output(name: string, stream: "out" | "err"): Promise<number> {
    const target = await this.#target(name);
    const [source, end] = this.#pipe();
    this.#forwards[`${stream}Source`] = source;
    this.#forwards[`${stream}Target`] = target;
    return end;
  }

  async #target(name: string): Promise<number> {
    const url = urlOf(name);
    if (url === undefined) return this.#keep(await openFifo(this.#context, name));
    if (url.protocol !== "file:") {
      throw new RuntsError(
        `the stream ${quote(name)} is neither a fifo, nor a file, nor a program`,
      );
    }
    const path = decodeURIComponent(url.pathname);
    Deno.mkdirSync(path.replace(/\/[^/]*$/, "") || "/", { recursive: true, mode: 0o755 });
    const fd = this.#context.helper.open(path, O_WRONLY | O_APPEND | O_CREAT, 0o644);
    return this.#keep(fd);
  }

  /** `binary:///PATH?KEY=VALUE&…`: runs PATH KEY VALUE …, and waits until it says that it is ready. */
  async #logger(url: URL, out: number, err: number): Promise<number> {
    const { helper, monitor, namespace, id } = this.#context;
    const path = decodeURIComponent(url.pathname);
    const args = [...url.searchParams].flat().filter((word) => word !== "");
    const [ready, end] = helper.pipe();
    let logger: number;
    try {
      logger = await monitor.run({
        path,
        args: [path, ...args],
        env: [`CONTAINER_ID=${id}`, `CONTAINER_NAMESPACE=${namespace}`],
        directory: "/",
      }, [out, err, end]);
    } finally {
      helper.close(end);
    }
    try {
      const came = await helper.awaitFds([ready], { timeoutMs: PATIENCE });
      if (came.length > 0) return logger;
      throw new RuntsError(`the program ${quote(path)} for output was not ready within 30 s`);
    } finally {
      helper.close(ready);
    }
  }
}

function urlOf(name: string): URL | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\//.test(name) ? new URL(name) : undefined;
}

/**
 * A fifo, both ways: so there is no error and no end when whoever reads it dies. First it must be there: what is
 * in a fifo is lost once nobody has it open.
 */
async function openFifo({ monitor, name }: StreamContext, path: string): Promise<number> {
  const end = performance.now() + PATIENCE;
  for (let pause = 1;; pause = Math.min(2 * pause, PAUSE_MAX)) {
    try {
      return await monitor.holdFifo(name, path, true);
    } catch (error) {
      if (errnoOf(error) !== ENXIO || performance.now() > end) throw error;
      await delay(pause);
    }
  }
}
