/**
 * The conversation between runts and init: one socketpair of type SOCK_SEQPACKET, one record a
 * packet. c/include/sync.h has the same numbers; a test compares them.
 *
 * ```
 *   runts                                init
 *     │ spawn ──────────────────────────► stage 1: joins namespaces given by path
 *     │ ◄───────────────────────── pid    stage 1: cloned stage 2, exits
 *     │ ◄────────────────────── cgroup    stage 2 (only for a manager that moves it itself)
 *     │ go ─────────────────────────────►
 *     │ ◄──────────────────────── maps    stage 2 in a new user namespace
 *     │ go (uid_map, gid_map written) ──►
 *     │ ◄────────────────── namespaces    all of them exist
 *     │   moves network devices, runs prestart and createRuntime hooks
 *     │ go (state documents written) ───► mounts, createContainer hooks, enter_root, identity
 *     │ ◄────────────────────── notify    about to load a filter with a listener
 *     │ go, then fetches the listener ──►
 *     │ ◄─────────────────────── ready    the program was found; all but the start is done
 *     │ go ─────────────────────────────► closes the conversation, waits at exec.fifo
 * ```
 *
 * What init has to say after that goes through result.fifo: `failed`, or `executing` as its last word
 * before it executes the program, which closes the fifo.
 *
 * Whoever fails sends one `failed` record before it dies. `warning` and `trace` records may come at any
 * time and are not answered. For exec there is no wait at the fifo: end-of-file means that the
 * program runs, or that init was killed; /proc/PID/stat tells.
 *
 * What may be of any length is in files in memory that init is started with: the plan, and the state
 * documents for the hooks that it runs. Or it is given them as soon as it is started, by `slots` and `plan`, and
 * what the plan needs last by more `slots`.
 * Where nobody has anything to do for it when the namespaces exist, it tells of them and goes on.
 */

/** Types of records. `namespaces` is answered unless the operation is `tell`. */
export const Message = {
  pid: 1,
  cgroup: 2,
  maps: 3,
  namespaces: 4,
  notify: 5,
  ready: 6,
  executing: 7,
  warning: 16,
  trace: 17,
  failed: 18,
  go: 32,
  /** For an init that was started before there was a plan: descriptors of slots, and that of the plan. */
  slots: 33,
  plan: 34,
} as const;

/** Bytes of a record's header: type, op, errno, reserved (i32 each), value (u64). Detail follows. */
export const RECORD_HEADER = 24;
/** Longest record, header and detail, in bytes. */
export const RECORD_MAX = 64 * 1024;

/** One record. */
export interface SyncRecord {
  readonly type: number;
  /** Index of the operation, for `failed`, `warning`, `trace`; else -1. */
  readonly op: number;
  /** Error number of `failed` and `warning`; 0 when there was no system call. */
  readonly errno: number;
  /**
   * `pid`: the process id. `trace`: duration in ns. `notify`: number of the listener's descriptor. `plan`: how many
   * descriptors of slots come later than it, before the next `go`.
   */
  readonly value: bigint;
  /** UTF-8 text: the detail of a failure (what, on what). `trace`: when it began, ns since 1970 (u64). */
  readonly detail: Uint8Array;
}

/** Reads a record as it came; throws RangeError when it is shorter than its header. */
export function parseRecord(bytes: Uint8Array): SyncRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    type: view.getInt32(0, true),
    op: view.getInt32(4, true),
    errno: view.getInt32(8, true),
    value: view.getBigUint64(16, true),
    detail: bytes.subarray(RECORD_HEADER),
  };
}

/** A record of ours: its type, the slots behind the header, and its value. */
export function encodeRecord(
  type: number,
  slots: readonly number[] = [],
  value = 0,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(RECORD_HEADER + 4 * slots.length));
  view.setInt32(0, type, true);
  view.setInt32(4, -1, true);
  view.setUint32(16, value, true);
  for (const [index, slot] of slots.entries()) {
    view.setUint32(RECORD_HEADER + 4 * index, slot, true);
  }
  return new Uint8Array(view.buffer);
}
