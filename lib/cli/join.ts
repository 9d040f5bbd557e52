/** The streams of this command joined to those of a process that a monitor holds. */

import { quote, RuntsError } from "../base/errors.ts";
import { printBytes } from "./output.ts";

/** What a process has written, or how many bytes of it we were too slow for. */
type Output =
  | { readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }
  | { readonly lost: bigint };

/** The other side. */
interface Streams extends Disposable {
  output(): AsyncIterable<Output>;
  write(bytes: Uint8Array): Promise<void>;
}

/** How they are joined. */
interface Join {
  /** Whether our input goes to the process. */
  readonly input: boolean;
  /** Looks for what ends it in what is typed at our terminal. */
  readonly watch?: Pick<KeyWatch, "pass">;
  /** The size of our terminal, now and whenever it changes. */
  resize(columns: number, rows: number): Promise<void>;
  /** Our input has come to its end. */
  inputEnds?(): Promise<void>;
  /** Somebody else listens to the signals that would end us, and hands them on. */
  readonly signalsHandedOn?: boolean;
}

/** Unless others are chosen. */
export const DETACH_KEYS = "ctrl-p,ctrl-q";

/** `ctrl-p,ctrl-q` as bytes: letters, or `ctrl-` and one of a to z, @, [, \, ], ^ and _. */
export function parseKeys(what: string, text: string): Uint8Array {
  return new Uint8Array(
    text.split(",").map((key) => {
      const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
      if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
      if (/^[!-~]$/.test(key)) return key.charCodeAt(0);
      throw new RuntsError(`${what}: ${quote(key)} is not a key`, { hint: 'as "ctrl-p" or "q"' });
    }),
  );
}

/** Looks for keys in what is typed. What may be the beginning of them is held back. */
export class KeyWatch {
  readonly #keys: Uint8Array;
  #seen = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What is to be passed on; undefined once all keys were typed. */
  pass(bytes: Uint8Array): Uint8Array | undefined {
    const out: number[] = [];
    for (const byte of bytes) {
      if (byte !== this.#keys[this.#seen]) {
        out.push(...this.#keys.subarray(0, this.#seen));
        this.#seen = 0;
      }
      if (byte !== this.#keys[this.#seen]) out.push(byte);
      else if (++this.#seen === this.#keys.length) return undefined;
    }
    return new Uint8Array(out);
  }
}

/** Signals that end us, and their numbers. */
const ENDING = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/** Why it ended: the process has, the keys were typed, or this signal came. */
type Parted = "ended" | "detached" | { readonly signal: number };

/** Copies until one of these. Our terminal is as it was then. */
export async function joinStreams(streams: Streams, join: Join): Promise<Parted> {
  const terminal = Deno.stdin.isTerminal() && join.input;
  const size = () => void sizeTo(join);
  let parted: Parted = "ended";
  const part = (why: Parted) => {
    parted = why;
    streams[Symbol.dispose]();
  };
  if (Deno.stdout.isTerminal()) {
    await sizeTo(join);
    Deno.addSignalListener("SIGWINCH", size);
  }
  using _own = terminal ? ownTerminal(join, (signal) => part({ signal })) : undefined;
  try {
    if (join.input) {
      copyInput(streams, join, terminal ? join.watch : undefined).then((typed) => {
        if (typed) part("detached");
      }, () => {}); // the process has ended meanwhile
    }
    const shown = Deno.stdout.isTerminal();
    for await (const output of streams.output()) show(output, shown);
    return parted;
  } finally {
    if (Deno.stdout.isTerminal()) Deno.removeSignalListener("SIGWINCH", size);
  }
}

/** What is typed is the process's alone, until this is disposed of. A signal is told, and not our end. */
function ownTerminal({ signalsHandedOn }: Join, tell: (signal: number) => void): Disposable {
  const listeners = Object.entries(signalsHandedOn ? {} : ENDING).map(([name, number]) =>
    [name as keyof typeof ENDING, () => tell(number)] as const
  );
  for (const [name, listener] of listeners) Deno.addSignalListener(name, listener);
  Deno.stdin.setRaw(true);
  return {
    [Symbol.dispose]: () => {
      for (const [name, listener] of listeners) Deno.removeSignalListener(name, listener);
      try {
        Deno.stdin.setRaw(false);
      } catch {
        // a terminal that has hung up
      }
    },
  };
}

/** Our terminal puts a carriage return before each newline, as that of the process has done. */
function show(output: Output, terminal: boolean): void {
  if (!("lost" in output)) {
    return printBytes(output.stream, terminal ? withoutReturns(output.bytes) : output.bytes);
  }
  const note = `\nrunts: ${output.lost} bytes of output came too fast\n`;
  printBytes("stderr", new TextEncoder().encode(note));
}

function withoutReturns(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, index) => byte !== 0x0d || bytes[index + 1] !== 0x0a);
}

/** Whether the keys were typed. */
async function copyInput(
  streams: Streams,
  join: Join,
  watch: Join["watch"],
): Promise<boolean> {
  for await (const chunk of Deno.stdin.readable) {
    const bytes = watch === undefined ? chunk : watch.pass(chunk);
    if (bytes === undefined) return true;
    await streams.write(bytes);
  }
  await join.inputEnds?.();
  return false;
}

/** A process that has no terminal has no size. */
async function sizeTo(join: Join): Promise<void> {
  try {
    const { columns, rows } = Deno.consoleSize();
    await join.resize(columns, rows);
  } catch {
    // it has no terminal, or has ended
  }
}
