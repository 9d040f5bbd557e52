/**
 * The record of a container from which the front performs `state`, `kill`, `start`, `delete` and `list`
 * without Deno: c/include/prepared.h, which a test compares. The front uses it only while all of it
 * still holds, and only what its own build has written.
 */

import { encodeText } from "../base/bytes.ts";
import { RuntsError } from "../base/errors.ts";

/** Name of its file in the state directory. */
export const PREPARED_FILE = "prepared";
/** Bytes: the front takes no longer one. */
export const PREPARED_MAX = 65_536;
/** Number of cgroups that it takes. */
export const PREPARED_CGROUPS_MAX = 64;

const MAGIC = 0x31565053544e5552n;

/** What the front must know of a container beside the texts. */
export const PreparedFlag = {
  /** The end of init ends all processes of the container. */
  ownPids: 1,
  /** There are poststart hooks, or it takes more than the front knows to start. */
  noStart: 2,
  /** There is more to undo than the state directory and the cgroups. */
  noDelete: 4,
  /** Members of its cgroups are no affair of the front. */
  noMembers: 8,
  /** A cgroup of v2 alone. */
  v2: 16,
  /** systemd removes them once nobody is in them. */
  systemd: 32,
} as const;

/** Texts, in the order of the structure. */
export const PREPARED_TEXTS = [
  /** The whole status file that the record belongs to. */
  "status",
  /** What `state` prints: up to the pid, … */
  "beforePid",
  /** … between pid and state, … */
  "beforeState",
  /** … and behind it. */
  "afterState",
  /** Files that tell whether it is frozen; each may be empty. */
  "freezerState",
  "cgroupFreeze",
  "cgroupEvents",
  /** Last part of the cgroups' paths. */
  "cgroupName",
] as const;

type PreparedTexts = { readonly [K in typeof PREPARED_TEXTS[number]]: string };

/** One record. */
export interface Prepared extends PreparedTexts {
  /** Sum of {@linkcode PreparedFlag}. */
  readonly flags: number;
  /** 32 characters: the build that has written it. */
  readonly front: string;
  readonly bootId: string;
  /** Process id of init, and field 22 of its /proc/PID/stat. */
  readonly pid: number;
  readonly startTime: number;
  /** The copy of config.json; time in ms. */
  readonly config: { readonly inode: number; readonly size: number; readonly mtime: number };
  /** The signal of `kill` where none is named; 0 where what the image names is none. */
  readonly stopSignal: number;
  /** Directories of the container; the first has all members in it. */
  readonly cgroups: readonly { readonly inode: number; readonly path: string }[];
}

/** Offsets of `struct prepared`, in bytes. */
export const PREPARED_LAYOUT = {
  magic: 0,
  size: 8,
  flags: 12,
  front: 16,
  boot: 48,
  start_time: 88,
  config_inode: 96,
  config_size: 104,
  config_mtime: 112,
  pid: 120,
  stop_signal: 124,
  cgroup_count: 128,
  cgroups: 132,
  status: 136,
} as const;

const AT = PREPARED_LAYOUT;
/** Bytes of an offset with a length, of a cgroup, and of the whole structure. */
const TEXT_SIZE = 8;
const CGROUP_SIZE = 16;
export const PREPARED_HEADER = AT.status + PREPARED_TEXTS.length * TEXT_SIZE;
const FRONT_LENGTH = 32;
const BOOT_LENGTH = 36;

/** The record as bytes; undefined where it is more than the front takes. */
export function encodePrepared(record: Prepared): Uint8Array<ArrayBuffer> | undefined {
  const names = PREPARED_TEXTS.map((name) => encodeText(record[name]));
  const paths = record.cgroups.map(({ path }) => encodeText(path));
  const all = [...names, ...paths];
  const start = PREPARED_HEADER + record.cgroups.length * CGROUP_SIZE;
  const size = all.reduce((sum, text) => sum + text.length + 1, start);
  if (size > PREPARED_MAX || record.cgroups.length > PREPARED_CGROUPS_MAX) return undefined;
  if (all.some((text) => text.includes(0))) return undefined;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  writeHead(view, bytes, record);
  let end = start;
  all.forEach((text, i) => {
    const cgroup = i - names.length;
    const at = cgroup < 0
      ? AT.status + i * TEXT_SIZE
      : PREPARED_HEADER + cgroup * CGROUP_SIZE + TEXT_SIZE;
    view.setUint32(at, end, true);
    view.setUint32(at + 4, text.length, true);
    bytes.set(text, end);
    end += text.length + 1;
  });
  record.cgroups.forEach(({ inode }, i) =>
    view.setBigUint64(PREPARED_HEADER + i * CGROUP_SIZE, BigInt(inode), true)
  );
  return bytes;
}

function writeHead(view: DataView, bytes: Uint8Array, record: Prepared): void {
  const word = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  view.setBigUint64(AT.magic, MAGIC, true);
  view.setUint32(AT.size, bytes.length, true);
  view.setUint32(AT.flags, record.flags, true);
  bytes.set(encodeText(record.front).subarray(0, FRONT_LENGTH), AT.front);
  bytes.set(encodeText(record.bootId).subarray(0, BOOT_LENGTH), AT.boot);
  word(AT.start_time, record.startTime);
  word(AT.config_inode, record.config.inode);
  word(AT.config_size, record.config.size);
  word(AT.config_mtime, record.config.mtime);
  view.setInt32(AT.pid, record.pid, true);
  view.setInt32(AT.stop_signal, record.stopSignal, true);
  view.setUint32(AT.cgroup_count, record.cgroups.length, true);
  view.setUint32(AT.cgroups, PREPARED_HEADER, true);
}

/** Reads what {@linkcode encodePrepared} wrote. Throws RuntsError where it is something else. */
export function decodePrepared(bytes: Uint8Array): Prepared {
  try {
    return decode(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    if (error instanceof RangeError) throw damaged();
    throw error;
  }
}

function damaged(): RuntsError {
  return new RuntsError("read the record of prepared verbs", { cause: "it is damaged" });
}

function decode(bytes: Uint8Array, view: DataView): Prepared {
  if (view.getBigUint64(AT.magic, true) !== MAGIC) throw damaged();
  if (view.getUint32(AT.size, true) !== bytes.length) throw damaged();
  const slice = (at: number, length: number) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(at, at + length));
  const text = (at: number) => slice(view.getUint32(at, true), view.getUint32(at + 4, true));
  const word = (at: number) => Number(view.getBigUint64(at, true));
  const texts = PREPARED_TEXTS.map((name, i) => [name, text(AT.status + i * TEXT_SIZE)]);
  const cgroups = Array.from({ length: view.getUint32(AT.cgroup_count, true) }, (_, i) => {
    const at = view.getUint32(AT.cgroups, true) + i * CGROUP_SIZE;
    return { inode: word(at), path: text(at + TEXT_SIZE) };
  });
  return {
    flags: view.getUint32(AT.flags, true),
    front: slice(AT.front, FRONT_LENGTH),
    bootId: slice(AT.boot, BOOT_LENGTH),
    pid: view.getInt32(AT.pid, true),
    startTime: word(AT.start_time),
    config: {
      inode: word(AT.config_inode),
      size: word(AT.config_size),
      mtime: word(AT.config_mtime),
    },
    stopSignal: view.getInt32(AT.stop_signal, true),
    cgroups,
    ...Object.fromEntries(texts) as PreparedTexts,
  };
}
