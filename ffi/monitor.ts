/** Starting a monitor (c/monitor), and packets for it: what few commands need of the helper library. */

import { delay } from "../lib/base/delay.ts";
import { EAGAIN, ETIMEDOUT } from "../lib/base/errno.ts";
import { quote } from "../lib/base/errors.ts";
import { BodyMax } from "../lib/wire/body.ts";
import { check, cString, ints, outside } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/monitor.h states it. */
export const MONITOR_SYMBOLS = {
  // int32_t rts_monitor_start(int32_t listening, int32_t connection, uint32_t idle_ms, const char *title);
  rts_monitor_start: { parameters: ["i32", "i32", "u32", "buffer"], result: "i32" },
  // int32_t rts_monitor_image(void);
  rts_monitor_image: { parameters: [], result: "i32" },
  // int32_t rts_core_scheduling(void);
  rts_core_scheduling: { parameters: [], result: "i32" },
  // int32_t rts_close_on_exec(int32_t fd);
  rts_close_on_exec: { parameters: ["i32"], result: "i32" },
  // int32_t rts_init_image(void);
  rts_init_image: { parameters: [], result: "i32" },
  // int32_t rts_sealed_file(const char *name, const uint8_t *bytes, uint64_t length);
  rts_sealed_file: { parameters: ["buffer", "buffer", "u64"], result: "i32" },
  // int32_t rts_connect_packets(const char *path);
  rts_connect_packets: { parameters: ["buffer"], result: "i32" },
  // int32_t rts_listen_packets(const char *path, uint32_t mode);
  rts_listen_packets: { parameters: ["buffer", "u32"], result: "i32" },
  // int32_t rts_packet_pair(int32_t *fds);
  rts_packet_pair: { parameters: ["buffer"], result: "i32" },
  // int32_t rts_send_packet(int32_t socket, const uint8_t *bytes, uint32_t length, const int32_t *fds, uint32_t count);
  rts_send_packet: { parameters: ["i32", "buffer", "u32", "buffer", "u32"], result: "i32" },
  // int32_t rts_receive_packet(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *fds);
  rts_receive_packet: { parameters: ["i32", "buffer", "u32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What a monitor is started with. */
export interface StartMonitor {
  /** A socket that listens for packets, or -1; the monitor has it, too, from then on. */
  readonly listening: number;
  /** The other end of the first connection, or -1; likewise. */
  readonly connection: number;
  /** How long it stays, in ms, when there is nothing for it to do. */
  readonly idleMs: number;
  /** What process lists show beside its name. */
  readonly title: string;
}

/** A packet with its descriptors, which are the receiver's to close. */
export interface Packet {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly fds: readonly number[];
}

/** Sending and receiving packets; all of it at once. */
export interface PacketCalls {
  /** False when the other side takes no more for now. */
  send(socket: number, packet: Packet): boolean;
  /** A packet that is there; `eof` when the other side has gone. */
  receive(socket: number): Packet | "again" | "eof";
}

/** All but the connecting are at once. */
export interface MonitorCalls extends PacketCalls {
  /** Starts a monitor; gives its pid. It is nobody's child that must be reaped here. */
  start(options: StartMonitor): number;
  /** The monitor's executable; it stays the library's. */
  monitorImage(): number;
  /** From now on no core is shared with processes outside of our group. EINVAL where the kernel cannot do it. */
  scheduleCore(): void;
  /** Nothing that is executed from now on inherits the descriptor. EBADF when it is not open. */
  closeOnExec(fd: number): void;
  /** Init's executable; it stays the library's. */
  initImage(): number;
  /** A file in memory with these bytes, sealed. */
  sealedFile(name: string, bytes: Uint8Array): number;
  /** Connects for packets. ETIMEDOUT when nobody accepts for 10 s. */
  connect(path: string): Promise<number>;
  /** Listens for packets. */
  listen(path: string, mode: number): number;
  /** Two connected sockets. */
  pair(): [number, number];
}

/** How long the other side may take to accept, in ms, and after what time we try again. */
const PATIENCE = 10_000;
const PAUSE = 10;

/** The helper must have been loaded. */
export function monitorCalls(): MonitorCalls {
  const functions = furtherFunctions(MONITOR_SYMBOLS);

  return {
    ...packets(),
    start({ listening, connection, idleMs, title }) {
      const result = functions.rts_monitor_start(listening, connection, idleMs, cString(title));
      return check(result, "start a monitor");
    },
    monitorImage: () => check(functions.rts_monitor_image(), "make a file in memory for a monitor"),
    scheduleCore() {
      check(functions.rts_core_scheduling(), "share no core of a processor with others");
    },
    closeOnExec(fd) {
      check(functions.rts_close_on_exec(fd), "keep a descriptor");
    },
    initImage: () => check(functions.rts_init_image(), "make a file in memory for init"),
    sealedFile(name, bytes) {
      const data = bytes as Uint8Array<ArrayBuffer>;
      const result = functions.rts_sealed_file(cString(name), data, BigInt(data.length));
      return check(result, "make a file in memory");
    },
    async connect(path) {
      const name = cString(path);
      const end = performance.now() + PATIENCE;
      let result = functions.rts_connect_packets(name);
      // No descriptor of ours tells that there is room.
      while (result === -EAGAIN && performance.now() < end) {
        await delay(PAUSE);
        result = functions.rts_connect_packets(name);
      }
      const code = result === -EAGAIN ? -ETIMEDOUT : result;
      return check(code, () => `connect to socket ${quote(path)}`);
    },
    listen(path, mode) {
      const result = functions.rts_listen_packets(cString(path), mode);
      return check(result, () => `make socket ${quote(path)}`);
    },
    pair() {
      const fds = ints([-1, -1]);
      check(functions.rts_packet_pair(fds), "make a pair of sockets");
      return [fds[0]!, fds[1]!];
    },
  };
}

function packets(): PacketCalls {
  const functions = furtherFunctions(MONITOR_SYMBOLS);
  // Output comes in packets that are as long as what was read of it, and a byte more.
  const room = outside(BodyMax.input + 1);
  // The first is how many come behind it.
  const numbers = ints(new Array(1 + BodyMax.fds).fill(0));

  return {
    send(socket, { bytes, fds }) {
      const result = functions.rts_send_packet(socket, bytes, bytes.length, ints(fds), fds.length);
      if (result === -EAGAIN) return false;
      check(result, "send a packet");
      return true;
    },
    receive(socket) {
      const length = functions.rts_receive_packet(socket, room, room.length, numbers);
      if (length === -EAGAIN) return "again";
      if (length === 0) return "eof";
      check(length, "receive a packet");
      return {
        bytes: room.slice(0, length),
        fds: Array.from(numbers.subarray(1, 1 + numbers[0]!)),
      };
    },
  };
}
