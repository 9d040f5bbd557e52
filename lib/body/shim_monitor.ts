/** A connection to a monitor in shim mode (c/include/body.h): what it can do beside the others. */

import { monitorCalls } from "../../ffi/monitor.ts";
import { EAGAIN } from "../base/errno.ts";
import { errnoOf, quote } from "../base/errors.ts";
import {
  BodyMax,
  type Command,
  encodeCommand,
  FIFO_READ,
  ForwardFlag,
  Operation,
} from "../wire/body.ts";
import { Monitor } from "./monitor_client.ts";
import type { Descriptors, MonitorEvents } from "./connection.ts";

/** Descriptors where the streams of a process come from and lead to; each stays the caller's. */
export type Forwards = { readonly [F in keyof typeof ForwardFlag]?: number };

/** Names a request of a client. */
export interface FrameName {
  readonly connection: number;
  readonly stream: number;
}

/** What a monitor is put into shim mode with. */
interface ShimRequest {
  /** Of what it is the monitor. */
  readonly name: string;
  /** Directory of the brain's socket and lock. */
  readonly directory: string;
  /** Path of the socket that containerd connects to. */
  readonly path: string;
  /** That socket, which stays the caller's. */
  readonly listening: number;
  /** Starts a brain. */
  readonly command: Command;
}

/** How long it stays when nobody has told it what to do, in ms. */
const IDLE = 10_000;

export class ShimMonitor extends Monitor {
  /** The socket is the connection's from now on. */
  static over(helper: Descriptors, socket: number): ShimMonitor {
    return new ShimMonitor(helper, monitorCalls(), socket);
  }

  /** Starts one; gives its pid, too. */
  static begin(helper: Descriptors, title: string): { monitor: ShimMonitor; pid: number } {
    const calls = monitorCalls();
    const [ours, theirs] = calls.pair();
    try {
      const pid = calls.start({ listening: -1, connection: theirs, idleMs: IDLE, title });
      return { monitor: new ShimMonitor(helper, calls, ours), pid };
    } catch (error) {
      helper.close(ours);
      throw error;
    } finally {
      helper.close(theirs);
    }
  }

  /** One that somebody else is to start, with this image and connection, both of which stay ours. */
  static async beginBy(
    helper: Descriptors,
    start: (image: number, connection: number) => Promise<void>,
  ): Promise<ShimMonitor> {
    const calls = monitorCalls();
    const [ours, theirs] = calls.pair();
    const monitor = new ShimMonitor(helper, calls, ours);
    try {
      await start(calls.monitorImage(), theirs);
    } catch (error) {
      monitor[Symbol.dispose]();
      throw error;
    } finally {
      helper.close(theirs);
    }
    return monitor;
  }

  /** From now on it takes requests of containerd. */
  async serve({ name, directory, path, listening, command }: ShimRequest): Promise<void> {
    const file = this.calls.sealedFile("runts-brain", encodeCommand(command));
    try {
      await this.connection.ask("begin to serve containerd", {
        operation: Operation.shim,
        fields: [0],
        texts: [name, directory, path],
        fds: [listening, file],
      });
    } finally {
      this.helper.close(file);
    }
  }

  /** Aborted once the connection has ended. */
  get gone(): AbortSignal {
    return this.connection.ended;
  }

  /** Takes what it tells until the connection ends. */
  listen(events: MonitorEvents): Promise<void> {
    return this.connection.listen(events);
  }

  /** Where the streams of a process lead; before it is watched. */
  async forward(name: string, forwards: Forwards): Promise<void> {
    const given = Object.entries(ForwardFlag)
      .flatMap(([key, flag]) => {
        const fd = forwards[key as keyof Forwards];
        return fd === undefined ? [] : [{ flag, fd }];
      });
    if (given.length === 0) return;
    await this.connection.ask(`forward the streams of ${quote(name)}`, {
      operation: Operation.forward,
      fields: [given.reduce((flags, { flag }) => flags | flag, 0)],
      texts: [name],
      fds: given.map(({ fd }) => fd),
    });
  }

  /**
   * A fifo, open both ways, that the monitor holds, too, until {@linkcode dropFifos}, or the program of that name
   * has ended. With `readable`, ENXIO where nobody reads it.
   */
  async holdFifo(name: string, path: string, readable: boolean): Promise<number> {
    const { fds } = await this.connection.ask(`open the fifo ${quote(path)}`, {
      operation: Operation.fifo,
      fields: [readable ? FIFO_READ : 0],
      texts: [name, path],
    });
    return fds[0]!;
  }

  /** The process of that name is made, or will never be: its fifos are held no more. */
  async dropFifos(name: string): Promise<void> {
    const request = { operation: Operation.fifo, fields: [0], texts: [name, ""] };
    await this.connection.ask(`close the fifos of ${quote(name)}`, request);
  }

  /** Whether nothing is left of what a process that has ended wrote; with `force`, what is left goes. */
  async drain(name: string, force: boolean): Promise<boolean> {
    try {
      await this.connection.ask(`drain the streams of ${quote(name)}`, {
        operation: Operation.drain,
        fields: [Number(force)],
        texts: [name],
      });
      return true;
    } catch (error) {
      if (errnoOf(error) === EAGAIN) return false;
      throw error;
    }
  }

  /** Runs a program as its child, which gets the descriptors as 3, 4, …; gives its pid. */
  async run(command: Command, fds: readonly number[]): Promise<number> {
    const file = this.calls.sealedFile("runts-command", encodeCommand(command));
    try {
      const { fields, fds: pidfds } = await this.connection.ask(`run ${quote(command.path)}`, {
        operation: Operation.run,
        fds: [file, ...fds],
      });
      for (const pidfd of pidfds) this.helper.close(pidfd);
      return fields.getInt32(0, true);
    } finally {
      this.helper.close(file);
    }
  }

  /** Answers a request. */
  async answer({ connection, stream }: FrameName, bytes: Uint8Array): Promise<void> {
    const fits = bytes.length <= BodyMax.frame;
    const file = fits ? undefined : this.calls.sealedFile("runts-answer", bytes);
    try {
      await this.connection.tell({
        operation: Operation.answer,
        fields: [connection, stream],
        fds: file === undefined ? [] : [file],
        ...(fits && { bytes }),
      });
    } finally {
      if (file !== undefined) this.helper.close(file);
    }
  }

  /** The request is told once more when the process of that name has ended. */
  async park({ connection, stream }: FrameName, name: string): Promise<void> {
    const fields = [connection, stream];
    await this.connection.tell({ operation: Operation.park, fields, texts: [name] });
  }

  /** A request that another brain was told of before is worked on from now on. */
  async begin({ connection, stream }: FrameName): Promise<void> {
    await this.connection.tell({ operation: Operation.begin, fields: [connection, stream] });
  }

  /**
   * By the pidfd of this process, which stays ours, it learns how the process ends. Undefined: this is no end
   * that what is under way has to do with.
   */
  async know(pidfd: number | undefined): Promise<void> {
    const fds = pidfd === undefined ? [] : [pidfd];
    await this.connection.tell({ operation: Operation.brain, fds });
  }
}
