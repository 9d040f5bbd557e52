/**
 * What a brain and a monitor say to each other: c/include/body.h has the same numbers and explains them; a
 * test compares the two. Here are the packets as bytes.
 */

import { decodeBytes, encodeText } from "../base/bytes.ts";
import { BUILD_ID_LENGTH } from "./ops.ts";

/** Limits: BODY_*_MAX. */
export const BodyMax = {
  /** Descriptors of one packet. */
  fds: 253,
  /** Bytes of a packet. */
  packet: 16384,
  /** Bytes of a packet of input from whoever is attached. */
  input: 32768,
  /** Bytes of a frame that stand in a packet. */
  frame: 8192,
} as const;

export const Operation = {
  hello: 1,
  fds: 2,
  spawn: 3,
  ending: 4,
  watch: 5,
  subscribe: 6,
  ended: 7,
  attach: 8,
  resize: 9,
  closeStdin: 10,
  reopenLog: 11,
  status: 12,
  command: 13,
  wake: 14,
  leave: 15,
  fetch: 16,
  terminal: 17,
  hold: 18,
  onEnd: 19,
  greet: 20,
  accept: 21,
  end: 22,
  print: 23,
  open: 24,
  connect: 25,
  descriptor: 26,
  program: 27,
  adopt: 28,
  kill: 29,
  keep: 30,
  foreground: 31,
  await: 32,
  monitor: 33,
  datagram: 34,
  forward: 40,
  drain: 41,
  run: 42,
  shim: 43,
  frame: 44,
  answer: 45,
  park: 46,
  begin: 47,
  brain: 48,
  fifo: 49,
} as const;

/** From here on a place is that of a descriptor that init inherits from 3 on. */
export const PLACE_PRESERVED = 65536;

/** Where a program's standard streams come from: BODY_STDIO_*. */
export const BodyStdio = { null: 0, pipes: 1, input: 2, terminal: 3, given: 4, own: 5 } as const;

/** BODY_SPAWN_TRACE, BODY_SPAWN_EARLY */
export const SPAWN_TRACE = 1;
export const SPAWN_EARLY = 2;
/** BODY_SPAWN_NAMESPACES: UTS, IPC and network. */
export const SPAWN_NAMESPACES = 0x4c000000;
/** Bits of an ending. */
const EndingFlag = { core: 1, oom: 2, unexecuted: 4 } as const;

/** Forms of logs: BODY_LOG_*. */
export const LogDriver = { none: 0, cri: 1, json: 2, raw: 3, journald: 4 } as const;

/** Bits of an attachment. */
export const AttachFlag = { stdin: 1, replay: 2, exclusive: 4 } as const;

/** First byte of a packet for whoever is attached: BODY_STREAM_*. */
export const BodyStream = { lost: 0, stdout: 1, stderr: 2 } as const;

/** Where the streams of a process lead: BODY_FORWARD_*. */
export const ForwardFlag = {
  stdin: 1,
  keep: 2,
  outSource: 4,
  outTarget: 8,
  errSource: 16,
  errTarget: 32,
} as const;

/** A fifo is opened only where somebody reads it: BODY_FIFO_READ. */
export const FIFO_READ = 1;

/** Bytes of a request's header, and of a reply's. */
const REQUEST_HEAD = 8;
const REPLY_HEAD = 16;

/** A field of a request: a number of 32 bits, or a bigint of 64. */
export type Field = number | bigint;

/** A request: header, fields, texts, and what is neither. */
export function encodeRequest(
  operation: number,
  request: number,
  fields: readonly Field[],
  texts: readonly string[],
  rest: Uint8Array = new Uint8Array(),
): Uint8Array<ArrayBuffer> {
  const encoded = texts.map(encodeText);
  const size = fields.reduce<number>((sum, field) => sum + (typeof field === "bigint" ? 8 : 4), 0);
  const length = encoded.reduce((sum, text) => sum + text.length + 1, REQUEST_HEAD + size) +
    rest.length;
  const bytes = new Uint8Array(new ArrayBuffer(length));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const field of [operation, request, ...fields]) {
    if (typeof field === "bigint") view.setBigUint64(at, field, true);
    else view.setUint32(at, field, true);
    at += typeof field === "bigint" ? 8 : 4;
  }
  for (const text of encoded) {
    bytes.set(text, at);
    at += text.length + 1;
  }
  bytes.set(rest, at);
  return bytes;
}

/** A reply, or an event: then its request is 0. */
export interface Reply {
  readonly operation: number;
  readonly request: number;
  /** 0 or -errno. */
  readonly result: number;
  readonly fields: DataView;
}

/** Undefined for what is too short for one. */
export function decodeReply(bytes: Uint8Array): Reply | undefined {
  if (bytes.length < REPLY_HEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    operation: view.getUint32(0, true),
    request: view.getUint32(4, true),
    result: view.getInt32(8, true),
    fields: new DataView(bytes.buffer, bytes.byteOffset + REPLY_HEAD, bytes.length - REPLY_HEAD),
  };
}

/** Who a monitor is. */
export interface Hello {
  readonly version: number;
  readonly pid: number;
  /** What it was built from: ffi/build_id.ts. */
  readonly buildId: string;
}

export function decodeHello(fields: DataView): Hello {
  const id = new Uint8Array(fields.buffer, fields.byteOffset + 8, BUILD_ID_LENGTH);
  return {
    version: fields.getUint32(0, true),
    pid: fields.getInt32(4, true),
    buildId: String.fromCharCode(...id),
  };
}

/** How a process ended. */
interface BodyEnding {
  readonly pid: number;
  /** Exit code; 128 + signal for a process that was killed. */
  readonly code: number;
  /** 0: it exited. */
  readonly signal: number;
  readonly core: boolean;
  /** For want of memory; only of a process that is watched. */
  readonly oom: boolean;
  /** Whether it has executed its program; false only of a process that is watched. */
  readonly executed: boolean;
}

export function decodeEnding(fields: DataView, at = 0): BodyEnding {
  const flags = fields.getUint32(at + 12, true);
  return {
    pid: fields.getInt32(at, true),
    code: fields.getInt32(at + 4, true),
    signal: fields.getInt32(at + 8, true),
    core: (flags & EndingFlag.core) !== 0,
    oom: (flags & EndingFlag.oom) !== 0,
    executed: (flags & EndingFlag.unexecuted) === 0,
  };
}

/** A recorded end. */
export interface Ended extends BodyEnding {
  /** Counts the recorded ends of this monitor from 1. */
  readonly number: bigint;
  /** ns since 1970, UTC. */
  readonly time: bigint;
  readonly name: string;
}

export function decodeEnded(fields: DataView): Ended {
  const start = fields.byteOffset + 32;
  const text = new Uint8Array(fields.buffer, start, fields.byteLength - 32);
  return {
    ...decodeEnding(fields, 16),
    number: fields.getBigUint64(0, true),
    time: fields.getBigInt64(8, true),
    name: decodeBytes(text.subarray(0, -1)),
  };
}

/** A request that a client of the shim has made, and has no answer to yet. */
export interface Frame {
  readonly connection: number;
  readonly stream: number;
  /** From 1 on: how many brains it was told to. */
  readonly attempt: number;
  /** Bytes of it; where they are more than there are, they come in a file. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

export function decodeFrame(fields: DataView): Frame {
  return {
    connection: fields.getUint32(0, true),
    stream: fields.getUint32(4, true),
    attempt: fields.getUint32(8, true),
    length: fields.getUint32(12, true),
    bytes: new Uint8Array(fields.buffer, fields.byteOffset + 16, fields.byteLength - 16),
  };
}

/** Who comes to the socket of the brain: BODY_GREETING_*. */
export const GreetingKind = { monitor: 1, start: 2 } as const;

/** What is said to a front that was called as a shim: BODY_STARTING_*. */
export const StartingKind = { cold: 0, monitor: 1, say: 2, fail: 3 } as const;

/** What comes to the socket of the brain. */
interface Greeting {
  /** {@linkcode GreetingKind} */
  readonly kind: number;
  /** Of the monitor, or of the front. */
  readonly pid: number;
  /** The monitor's name; or words, an empty one, and variables of the front. */
  readonly texts: readonly string[];
}

/** Undefined for what is none. */
export function decodeGreeting(bytes: Uint8Array): Greeting | undefined {
  if (bytes.length < 9 || bytes.at(-1) !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    kind: view.getUint32(0, true),
    pid: view.getInt32(4, true),
    texts: decodeBytes(bytes.subarray(8, -1)).split("\0"),
  };
}

/** A packet for a front. */
export function encodeStarting(kind: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(new ArrayBuffer(4 + bytes.length));
  new DataView(packet.buffer).setUint32(0, kind, true);
  packet.set(bytes, 4);
  return packet;
}

/** What a monitor has done and holds. */
export interface MonitorStatus {
  /** Bytes of output that went into logs. */
  readonly written: bigint;
  /** Bytes of output that logs did not take. */
  readonly lost: bigint;
  /** Bytes that those attached were too slow for. */
  readonly skipped: bigint;
  /** Processes that are watched and live. */
  readonly processes: number;
  readonly connections: number;
}

export function decodeStatus(fields: DataView): MonitorStatus {
  return {
    written: fields.getBigUint64(0, true),
    lost: fields.getBigUint64(8, true),
    skipped: fields.getBigUint64(16, true),
    processes: fields.getUint32(24, true),
    connections: fields.getUint32(28, true),
  };
}

/** How many descriptors a monitor holds at most: BODY_HELD_MAX. */
const HELD_MAX = 8;

/** The numbers of the descriptors that a monitor holds, in their order. */
export function decodeHeld(fields: DataView): number[] {
  return Array.from({ length: HELD_MAX }, (_, at) => fields.getInt32(4 * at, true))
    .filter((fd) => fd >= 0);
}

/** What a monitor is to run: a file for the operation `command`. */
export interface Command {
  /** Absolute; what is executed. */
  readonly path: string;
  /** All of argv. */
  readonly args: readonly string[];
  /** `NAME=VALUE` */
  readonly env: readonly string[];
  /** Working directory. */
  readonly directory: string;
}

export function encodeCommand(command: Command): Uint8Array<ArrayBuffer> {
  const { path, args, env, directory } = command;
  return encodeRequest(args.length, env.length, [], [directory, path, ...args, ...env]);
}
