/**
 * The events of a state root: ROOT/.events/events.ndjson, one JSON object a line, each with the number that
 * follows the one before it. Whoever appends holds a lock (flock(2)).
 */

import type { OwnHelper } from "../runtime/runtime.ts";
import { EEXIST } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { removeQuietly, statFile } from "../base/files.ts";
import { decodeBytes, encodeText } from "../base/bytes.ts";
import { readLines } from "./follow.ts";

/** What has happened to a container. */
export type EventType =
  | "created"
  | "started"
  | "exited"
  | "oom"
  | "restarting"
  | "removed"
  | "lost"
  | "state";

/** An event to be written down. */
export interface NewEvent {
  /** What has happened. */
  readonly type: EventType;
  /** To which container. */
  readonly id: string;
  /** When: RFC 3339, UTC. Default: now. */
  readonly time?: string;
  /** Of init, as the host sees it. */
  readonly pid?: number;
  /** Of `exited`: as a shell has it. */
  readonly code?: number;
  /** Of `exited`: the signal that ended it, or 0. */
  readonly signal?: number;
  /** Of `state`: that of a system container, as `RUNNING`. */
  readonly state?: string;
  /** Of `restarting`: in how many ms. */
  readonly delay?: number;
  /** Of `restarting`: why it could not be started anew, if that was tried. */
  readonly failure?: string;
}

/** An event of a supervised container. */
export interface SupervisionEvent extends NewEvent {
  /** One more than that of the event before it, in the same state root. */
  readonly seq: number;
  /** When: RFC 3339, UTC. */
  readonly time: string;
}

/** Bytes after which a file is put aside, and how many of those are kept. */
const SIZE_MAX = 1024 * 1024;
const KEPT = 4;
/** Bytes that are read at a time, from the end on: most look for the newest event alone. */
const CHUNK = 4096;
const NEWLINE = 0x0a;
/** How long a writer waits for another one, in ms. */
const LOCK_TIMEOUT = 60_000;

/** The events of one state root. */
export class Journal {
  readonly #directory: string;
  readonly #sizeMax: number;

  /** @param sizeMax bytes after which a file is put aside */
  constructor(root: string, sizeMax = SIZE_MAX) {
    this.#directory = `${root}/.events`;
    this.#sizeMax = sizeMax;
  }

  get #path(): string {
    return `${this.#directory}/events.ndjson`;
  }

  /**
   * Appends an event, and gives it with its number.
   *
   * @param once it is not written if it is there already: whoever told of it may have been killed then
   */
  async append(
    helper: Pick<OwnHelper, "lock" | "close">,
    event: NewEvent,
    once = false,
  ): Promise<SupervisionEvent> {
    this.#make();
    const lock = await helper.lock(`${this.#directory}/lock`, LOCK_TIMEOUT);
    try {
      const known = once ? this.#known(event) : undefined;
      if (known !== undefined) return known;
      const added: SupervisionEvent = {
        seq: this.newest() + 1,
        time: event.time ?? new Date().toISOString(),
        ...event,
      };
      this.#write(`${JSON.stringify(added)}\n`);
      return added;
    } catch (cause) {
      throw new RuntsError(`write event ${quote(event.type)} of ${quote(event.id)}`, { cause });
    } finally {
      helper.close(lock);
    }
  }

  /** The events after number `since`, then those that come, if they are followed. */
  async *read(
    { since = 0, follow = false, signal }: ReadOptions = {},
  ): AsyncGenerator<SupervisionEvent> {
    let last = since;
    const options = { follow, ...(signal && { signal }) };
    for await (const line of readLines(this.#path, options, () => true)) {
      const event = line.ended ? parseEvent(decodeBytes(line.bytes)) : undefined;
      if (event === undefined || event.seq <= last) continue;
      last = event.seq;
      yield event;
    }
  }

  /** The number of the newest event; 0 where there was none yet. */
  newest(): number {
    for (const event of this.#backwards()) return event.seq;
    return 0;
  }

  /** This one, of those since the container was started. */
  #known({ type, id, pid, time }: NewEvent): SupervisionEvent | undefined {
    for (const event of this.#backwards(`"id":${JSON.stringify(id)}`)) {
      const isSame = event.type === type && event.pid === pid;
      if (isSame && (time === undefined || event.time === time)) return event;
      if (event.type === "started" || event.type === "created") return undefined;
    }
    return undefined;
  }

  /** From the newest event on; those whose line has this text. Nobody else writes. */
  *#backwards(text = ""): Generator<SupervisionEvent> {
    for (let number = 0; number <= KEPT; number++) {
      const path = number === 0 ? this.#path : `${this.#path}.${number}`;
      for (const line of linesBackwards(path)) {
        const event = line.includes(text) ? parseEvent(line) : undefined;
        if (event !== undefined) yield event;
      }
    }
  }

  #make(): void {
    try {
      Deno.mkdirSync(this.#directory, { mode: 0o700, recursive: true });
    } catch (cause) {
      if (errnoOf(cause) === EEXIST) return;
      throw new RuntsError(`make directory ${quote(this.#directory)}`, { cause });
    }
  }

  #write(line: string): void {
    const size = statFile(this.#path)?.size ?? 0;
    if (size > 0 && size + line.length > this.#sizeMax) this.#putAside();
    const options = { read: true, append: true, create: true, mode: 0o600 };
    using file = Deno.openSync(this.#path, options);
    // A writer that was killed may have left a part of a line.
    const bytes = encodeText(endsOpen(file) ? `\n${line}` : line);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  }

  #putAside(): void {
    removeQuietly(`${this.#path}.${KEPT}`);
    for (let number = KEPT - 1; number >= 0; number--) {
      const from = number === 0 ? this.#path : `${this.#path}.${number}`;
      if (statFile(from) !== undefined) Deno.renameSync(from, `${this.#path}.${number + 1}`);
    }
  }
}

interface ReadOptions {
  /** Number of the last event that is known already. */
  readonly since?: number;
  readonly follow?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The lines of a file, the last one first; none of one that cannot be read. */
function* linesBackwards(path: string): Generator<string> {
  using file = openIfThere(path);
  let rest: Uint8Array = new Uint8Array(); // the end of the line that stands before those that were given
  for (let at = file?.statSync().size ?? 0; at > 0;) {
    const length = Math.min(at, CHUNK);
    at -= length;
    const bytes = joined(readAt(file!, at, length), rest);
    const begin = at === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    const isPart = at > 0 && begin === 0;
    rest = isPart ? bytes : bytes.subarray(0, begin - 1);
    if (!isPart) yield* decodeBytes(bytes.subarray(begin)).split("\n").reverse();
  }
}

function openIfThere(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path);
  } catch {
    return undefined;
  }
}

function readAt(file: Deno.FsFile, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  file.seekSync(at, Deno.SeekMode.Start);
  for (let done = 0; done < length;) {
    const count = file.readSync(bytes.subarray(done));
    if (count === null) return bytes.subarray(0, done);
    done += count;
  }
  return bytes;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (second.length === 0) return first;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** Whether the last line has no newline. */
function endsOpen(file: Deno.FsFile): boolean {
  const { size } = file.statSync();
  if (size === 0) return false;
  file.seekSync(size - 1, Deno.SeekMode.Start);
  const last = new Uint8Array(1);
  file.readSync(last);
  return last[0] !== NEWLINE;
}

/** Undefined for what is none: a part of a line. */
function parseEvent(line: string): SupervisionEvent | undefined {
  if (!line.endsWith("}")) return undefined;
  try {
    const event = JSON.parse(line);
    const isOne = Number.isSafeInteger(event.seq) && typeof event.type === "string";
    return isOne ? event : undefined;
  } catch {
    return undefined;
  }
}
