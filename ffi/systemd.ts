/**
 * D-Bus through libsystemd (sd-bus(3)), loaded only where systemd manages cgroups. Only functions
 * without variable arguments are used, and none that calls back.
 */

import { ETIMEDOUT } from "../lib/base/errno.ts";
import { quote, RuntsError } from "../lib/base/errors.ts";
import { type Functions, openLibrary } from "./bind.ts";
import { check, cString, outside } from "./call.ts";
import type { Helper } from "./helper.ts";

const SD_BUS = {
  // int sd_bus_new(sd_bus **bus);
  sd_bus_new: { parameters: ["buffer"], result: "i32" },
  // int sd_bus_set_address(sd_bus *bus, const char *address);
  sd_bus_set_address: { parameters: ["pointer", "buffer"], result: "i32" },
  // int sd_bus_set_bus_client(sd_bus *bus, int b);
  sd_bus_set_bus_client: { parameters: ["pointer", "i32"], result: "i32" },
  // int sd_bus_start(sd_bus *bus);
  sd_bus_start: { parameters: ["pointer"], result: "i32" },
  // sd_bus *sd_bus_flush_close_unref(sd_bus *bus);
  sd_bus_flush_close_unref: { parameters: ["pointer"], result: "pointer" },
  // int sd_bus_message_new_method_call(sd_bus *bus, sd_bus_message **m, const char *destination, const char *path, const char *interface, const char *member);
  sd_bus_message_new_method_call: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  // int sd_bus_message_append_basic(sd_bus_message *m, char type, const void *p);
  sd_bus_message_append_basic: { parameters: ["pointer", "i8", "buffer"], result: "i32" },
  // int sd_bus_message_append_array(sd_bus_message *m, char type, const void *ptr, size_t size);
  sd_bus_message_append_array: { parameters: ["pointer", "i8", "buffer", "usize"], result: "i32" },
  // int sd_bus_message_open_container(sd_bus_message *m, char type, const char *contents);
  sd_bus_message_open_container: { parameters: ["pointer", "i8", "buffer"], result: "i32" },
  // int sd_bus_message_close_container(sd_bus_message *m);
  sd_bus_message_close_container: { parameters: ["pointer"], result: "i32" },
  // int sd_bus_message_enter_container(sd_bus_message *m, char type, const char *contents);
  sd_bus_message_enter_container: { parameters: ["pointer", "i8", "buffer"], result: "i32" },
  // int sd_bus_message_read_basic(sd_bus_message *m, char type, void *p);
  sd_bus_message_read_basic: { parameters: ["pointer", "i8", "buffer"], result: "i32" },
  // int sd_bus_message_is_signal(sd_bus_message *m, const char *interface, const char *member);
  sd_bus_message_is_signal: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  // sd_bus_message *sd_bus_message_unref(sd_bus_message *m);
  sd_bus_message_unref: { parameters: ["pointer"], result: "pointer" },
  // int sd_bus_message_is_method_error(sd_bus_message *m, const char *name);
  sd_bus_message_is_method_error: { parameters: ["pointer", "pointer"], result: "i32" },
  // int sd_bus_message_get_reply_cookie(sd_bus_message *m, uint64_t *cookie);
  sd_bus_message_get_reply_cookie: { parameters: ["pointer", "buffer"], result: "i32" },
  // const sd_bus_error *sd_bus_message_get_error(sd_bus_message *m);
  sd_bus_message_get_error: { parameters: ["pointer"], result: "pointer" },
  // int sd_bus_send(sd_bus *bus, sd_bus_message *m, uint64_t *cookie);
  sd_bus_send: { parameters: ["pointer", "pointer", "buffer"], result: "i32" },
  // int sd_bus_process(sd_bus *bus, sd_bus_message **m);
  sd_bus_process: { parameters: ["pointer", "buffer"], result: "i32" },
  // int sd_bus_get_fd(sd_bus *bus);
  sd_bus_get_fd: { parameters: ["pointer"], result: "i32" },
  // int sd_bus_get_events(sd_bus *bus);
  sd_bus_get_events: { parameters: ["pointer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Library = Functions<typeof SD_BUS>;

/** A value with its D-Bus type: basic types, and arrays and structs of these. */
export type BusValue = readonly [signature: string, value: unknown];

/** Whom a call is for. */
export interface BusObject {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
}

/** A reply or a signal; its values are read one after the other. */
export interface BusMessage {
  readText(type: "s" | "o"): string;
  /** A text inside a variant. */
  readVariantText(): string;
  readNumber(): number;
}

/** The name that the other side gave to its error, beside the text. */
export class BusError extends RuntsError {
  readonly busName: string;
  constructor(operation: string, name: string, text: string) {
    super(operation, { cause: new Error(text) });
    this.busName = name;
  }
}

let library: Library | undefined;

function load(): Library {
  try {
    return openLibrary("libsystemd.so.0", SD_BUS);
  } catch (error) {
    throw new RuntsError('load "libsystemd.so.0"', {
      cause: error,
      hint: "install systemd's library, or use --cgroup-manager=cgroupfs",
    });
  }
}

/** One connection. Calls are made one at a time. */
export class Bus {
  readonly #library: Library;
  readonly #bus: Deno.PointerValue;
  readonly #helper: Pick<Helper, "awaitFds">;
  /** What came while a reply was awaited. */
  readonly #signals: Deno.PointerValue[] = [];

  private constructor(library: Library, bus: Deno.PointerValue, helper: Pick<Helper, "awaitFds">) {
    this.#library = library;
    this.#bus = bus;
    this.#helper = helper;
  }

  /** `client`: a message bus is at the address, which wants to be greeted; else a single peer. */
  static open(helper: Pick<Helper, "awaitFds">, address: string, client: boolean): Bus {
    library ??= load();
    const bus = made(library.sd_bus_new, "make a bus connection");
    const what = () => `connect to the bus at ${quote(address)}`;
    try {
      check(library.sd_bus_set_address(bus, cString(address)), what);
      check(library.sd_bus_set_bus_client(bus, client ? 1 : 0), what);
      check(library.sd_bus_start(bus), what);
    } catch (error) {
      library.sd_bus_flush_close_unref(bus);
      throw error;
    }
    return new Bus(library, bus, helper);
  }

  close(): void {
    for (const message of this.#signals.splice(0)) this.#library.sd_bus_message_unref(message);
    this.#library.sd_bus_flush_close_unref(this.#bus);
  }

  /** Calls a method and gives what `read` makes of the reply. Throws {@linkcode BusError}. */
  async call<T>(
    object: BusObject,
    member: string,
    values: readonly BusValue[],
    timeoutMs: number,
    read: (reply: BusMessage) => T,
  ): Promise<T> {
    const { destination, path, interface: name } = object;
    const parts = [destination, path, name, member].map(cString) as [Bytes, Bytes, Bytes, Bytes];
    const message = made(
      (out) => this.#library.sd_bus_message_new_method_call(this.#bus, out, ...parts),
      "make a bus message",
    );
    try {
      for (const value of values) this.#append(message, value);
      const reply = await this.#send(message, member, timeoutMs);
      try {
        return read(reader(this.#library, reply));
      } finally {
        this.#library.sd_bus_message_unref(reply);
      }
    } finally {
      this.#library.sd_bus_message_unref(message);
    }
  }

  async #send(
    message: Deno.PointerValue,
    member: string,
    timeoutMs: number,
  ): Promise<Deno.PointerValue> {
    const what = `call ${member} of systemd`;
    const deadline = performance.now() + timeoutMs;
    const sent = new BigUint64Array(1);
    check(this.#library.sd_bus_send(this.#bus, message, sent), what);
    for (;;) {
      const reply = await this.#receive(deadline);
      if (reply === null) throw new RuntsError(what, { errno: ETIMEDOUT });
      if (!this.#isReply(reply, sent[0]!)) this.#signals.push(reply);
      else if (this.#library.sd_bus_message_is_method_error(reply, null) > 0) {
        throw this.#errorOf(reply, what);
      } else return reply;
    }
  }

  #isReply(message: Deno.PointerValue, sent: bigint): boolean {
    const cookie = new BigUint64Array(1);
    const result = this.#library.sd_bus_message_get_reply_cookie(message, cookie);
    return result >= 0 && cookie[0] === sent;
  }

  /** struct sd_bus_error begins with its name and its text. */
  #errorOf(reply: Deno.PointerValue, what: string): BusError {
    const error = this.#library.sd_bus_message_get_error(reply);
    const text = (offset: number) => {
      const pointer = error && new Deno.UnsafePointerView(error).getPointer(offset);
      return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
    };
    const found = new BusError(what, text(0), text(8) || "an error without a text");
    this.#library.sd_bus_message_unref(reply);
    return found;
  }

  /** The next message; null when the time is up. */
  async #receive(deadline: number): Promise<Deno.PointerValue> {
    const { sd_bus_process, sd_bus_get_fd, sd_bus_get_events } = this.#library;
    for (;;) {
      const out = pointerBuffer();
      const done = check(sd_bus_process(this.#bus, out), "read from the bus");
      const message = Deno.UnsafePointer.create(out[0]!);
      if (message !== null) return message;
      if (done > 0) continue;
      const timeoutMs = deadline - performance.now();
      if (timeoutMs <= 0) return null;
      const fd = check(sd_bus_get_fd(this.#bus), "wait for the bus");
      const events = check(sd_bus_get_events(this.#bus), "wait for the bus");
      await this.#helper.awaitFds([fd], { events, timeoutMs });
    }
  }

  /** The next signal of this name, or undefined when the time is up. */
  async signal<T>(
    name: string,
    member: string,
    timeoutMs: number,
    read: (signal: BusMessage) => T | undefined,
  ): Promise<T | undefined> {
    const deadline = performance.now() + timeoutMs;
    const [wantedName, wantedMember] = [cString(name), cString(member)];
    for (;;) {
      const message = this.#signals.shift() ?? await this.#receive(deadline);
      if (message === null) return undefined;
      try {
        if (this.#library.sd_bus_message_is_signal(message, wantedName, wantedMember) > 0) {
          const found = read(reader(this.#library, message));
          if (found !== undefined) return found;
        }
      } finally {
        this.#library.sd_bus_message_unref(message);
      }
    }
  }

  #append(message: Deno.PointerValue, [signature, value]: BusValue): void {
    const what = `write a value of type ${quote(signature)}`;
    const lib = this.#library;
    if (signature === "ay") {
      const bytes = value as Bytes;
      check(lib.sd_bus_message_append_array(message, code("y"), bytes, BigInt(bytes.length)), what);
      return;
    }
    const [kind, contents, values] = takeApart(signature, value);
    if (kind === undefined) {
      check(
        lib.sd_bus_message_append_basic(message, code(signature), basic(signature, value)),
        what,
      );
      return;
    }
    check(lib.sd_bus_message_open_container(message, code(kind), cString(contents)), what);
    for (const part of values) this.#append(message, part);
    check(lib.sd_bus_message_close_container(message), what);
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Array, struct and variant as container type, contents and values; else nothing. */
function takeApart(
  signature: string,
  value: unknown,
): [kind: "a" | "r" | "v" | undefined, contents: string, values: BusValue[]] {
  const contents = signature.slice(1);
  switch (signature[0]) {
    case "a":
      return ["a", contents, (value as unknown[]).map((item) => [contents, item])];
    case "(": {
      // Members are of one letter, or an array of structs at the end.
      const inner = contents.slice(0, -1);
      const values = value as unknown[];
      const types = values.map((_, i) => i === values.length - 1 ? inner.slice(i) : inner[i]!);
      return ["r", inner, values.map((item, i) => [types[i]!, item])];
    }
    case "v": {
      const variant = value as BusValue;
      return ["v", variant[0], [variant]];
    }
    default:
      return [undefined, "", []];
  }
}

function code(letter: string): number {
  return letter.charCodeAt(0);
}

/** A basic value as sd_bus_message_append_basic takes it. */
function basic(type: string, value: unknown): Bytes {
  if (type === "s" || type === "o") return cString(String(value));
  const bytes = outside(8);
  const view = new DataView(bytes.buffer);
  if (type === "d") view.setFloat64(0, Number(value), true);
  else view.setBigUint64(0, BigInt.asUintN(64, BigInt(value as number | bigint | boolean)), true);
  return bytes;
}

function pointerBuffer(): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(new ArrayBuffer(8));
}

function made(
  make: (out: BigUint64Array<ArrayBuffer>) => number,
  what: string,
): Deno.PointerValue {
  const out = pointerBuffer();
  check(make(out), what);
  return Deno.UnsafePointer.create(out[0]!);
}

function textAt(bytes: Bytes, offset: number): string {
  const address = new DataView(bytes.buffer).getBigUint64(offset, true);
  const pointer = Deno.UnsafePointer.create(address);
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

function reader(library: Library, message: Deno.PointerValue): BusMessage {
  const read = (type: string) => {
    const out = outside(8);
    check(library.sd_bus_message_read_basic(message, code(type), out), "read a bus message");
    return out;
  };
  return {
    readText: (type) => textAt(read(type), 0),
    readVariantText() {
      const entered = library.sd_bus_message_enter_container(message, code("v"), cString("s"));
      check(entered, "read a bus message");
      return textAt(read("s"), 0);
    },
    readNumber: () => new DataView(read("u").buffer).getUint32(0, true),
  };
}
