/** Unix sockets, and descriptors passed over them. Paths may be of any length. */

import { delay } from "../lib/base/delay.ts";
import { EAGAIN, EPROTO, ETIMEDOUT } from "../lib/base/errno.ts";
import { quote, RuntsError } from "../lib/base/errors.ts";
import { check, cString, ints, outside } from "./call.ts";
import type { Library } from "./library.ts";
import { Size } from "./symbols.ts";
import type { Waiter } from "./waiter.ts";

const POLLOUT = 4;

/**
 * Calls on unix sockets. Those that may have to wait for the other side's program give promises; the
 * others are synchronous, their timeouts in ms, -1 for ever (ETIMEDOUT).
 */
export interface SocketCalls {
  /** Connects a stream. ETIMEDOUT when nobody accepts for 10 s. */
  connectUnix(path: string): Promise<number>;
  /** Listens for streams. */
  listenUnix(path: string, mode?: number): number;
  accept(socket: number, timeoutMs: number): number;
  /** Two connected streams. */
  socketpair(): [number, number];
  /** A datagram socket that anybody may send to whom `mode` allows. */
  bindDatagram(path: string, mode: number): number;
  receiveDatagram(socket: number, timeoutMs: number): { bytes: Uint8Array; fds: number[] };
  /**
   * A path that begins with `@` is an abstract address (unix(7)), as in NOTIFY_SOCKET. ETIMEDOUT when
   * its queue is full for 10 s.
   */
  sendDatagram(path: string, bytes: Uint8Array, fds: readonly number[]): Promise<void>;
  /** The same, holding the event loop up. */
  sendDatagramSync(path: string, bytes: Uint8Array): void;
  /**
   * Sends the text with the descriptors; at least one byte of text is sent. ETIMEDOUT when the other
   * side takes nothing for 10 s.
   */
  sendFds(socket: number, fds: readonly number[], text: Uint8Array): Promise<void>;
  /** Receives exactly one descriptor. EPROTO when there is none or more than one. */
  receiveFd(socket: number, timeoutMs: number): { fd: number; text: string };
}

/** How long the other side may take to make room, in ms, and after what time we look again. */
const PATIENCE = 10_000;
const PAUSE = 10;
/** Longest text that is taken with descriptors, in bytes. */
const MESSAGE_MAX = 64 * 1024;
/** Longest datagram that is taken, which is more than the kernel sends for anybody by default. */
const DATAGRAM_MAX = 256 * 1024;

export function socketCalls(library: Library, waiter: Waiter): SocketCalls {
  return {
    ...connections(library),
    ...messages(library),
    async sendFds(socket, fds, text) {
      const data = text.length === 0 ? new Uint8Array(1) : text;
      for (let done = 0; done < data.length;) {
        const rest = data.subarray(done) as Uint8Array<ArrayBuffer>;
        const count = done === 0 ? fds.length : 0; // they go with the first of it
        let result = library.rts_send_message(socket, rest, rest.length, ints(fds), count);
        if (result === -EAGAIN) {
          const room = await waiter.wait([socket], { events: POLLOUT, timeoutMs: PATIENCE });
          result = room.length === 0 ? -ETIMEDOUT : 0;
        }
        done += check(result, "pass descriptors over a socket");
      }
    },
  };
}

type Connections = Pick<
  SocketCalls,
  "connectUnix" | "listenUnix" | "accept" | "socketpair" | "bindDatagram"
>;

function connections(library: Library): Connections {
  return {
    async connectUnix(path) {
      const name = cString(path);
      const result = await untilRoom(() => library.rts_connect_unix(name));
      return check(result, () => `connect to socket ${quote(path)}`);
    },
    listenUnix: (path, mode = 0o600) =>
      check(library.rts_listen_unix(cString(path), mode), () => `make socket ${quote(path)}`),
    accept: (socket, timeoutMs) =>
      check(library.rts_accept(socket, timeoutMs), "accept a connection"),
    socketpair() {
      const fds = ints([-1, -1]);
      check(library.rts_socketpair(fds), "make a pair of sockets");
      return [fds[0]!, fds[1]!];
    },
    bindDatagram: (path, mode) =>
      check(library.rts_bind_datagram(cString(path), mode), () => `make socket ${quote(path)}`),
  };
}

/** Tries again while the other side has no room, of which no descriptor of ours tells. */
async function untilRoom(attempt: () => number): Promise<number> {
  let result = attempt();
  const end = result === -EAGAIN ? performance.now() + PATIENCE : 0;
  while (result === -EAGAIN && performance.now() < end) {
    await delay(PAUSE);
    result = attempt();
  }
  return result === -EAGAIN ? -ETIMEDOUT : result;
}

type Messages = Omit<SocketCalls, keyof Connections | "sendFds">;

function messages(library: Library): Messages {
  function receive(
    socket: number,
    timeoutMs: number,
    max: number,
  ): { bytes: Uint8Array; fds: number[] } {
    const bytes = outside(max);
    // The first is their number.
    const fds = ints(new Array(1 + Size.messageFds).fill(0));
    const result = library.rts_receive_message(socket, bytes, bytes.length, fds, timeoutMs);
    const length = check(result, "receive a message");
    return { bytes: bytes.slice(0, length), fds: Array.from(fds.subarray(1, 1 + fds[0]!)) };
  }

  function send(path: string, bytes: Uint8Array, fds: readonly number[], wait: number): number {
    const data = bytes as Uint8Array<ArrayBuffer>;
    const [name, list] = [cString(path), ints(fds)];
    return library.rts_send_datagram(name, data, data.length, list, fds.length, wait);
  }

  return {
    receiveDatagram: (socket, timeoutMs) => receive(socket, timeoutMs, DATAGRAM_MAX),
    async sendDatagram(path, bytes, fds) {
      const result = await untilRoom(() => send(path, bytes, fds, 0));
      check(result, () => `send to socket ${quote(path)}`);
    },
    sendDatagramSync(path, bytes) {
      check(send(path, bytes, [], PATIENCE), () => `send to socket ${quote(path)}`);
    },
    receiveFd(socket, timeoutMs) {
      const { bytes, fds } = receive(socket, timeoutMs, MESSAGE_MAX);
      const [fd] = fds;
      if (fd !== undefined && fds.length === 1) {
        return { fd, text: new TextDecoder().decode(bytes) };
      }
      for (const each of fds) library.rts_close(each);
      throw new RuntsError(`receive a descriptor: got ${fds.length}`, { errno: EPROTO });
    },
  };
}
