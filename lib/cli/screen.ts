/** A terminal whose whole window a command has for a while (console_codes(4), xterm's alternate screen). */

import { printBytes } from "./output.ts";

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const CTRL_C = "\x03";
/** What ends a process from outside; the terminal is given back before. */
const ENDS = ["SIGTERM", "SIGHUP", "SIGINT"] as const;

/** The window, and what is typed. Disposing of it gives the terminal back as it was. */
export class Screen implements Disposable {
  readonly #keyed = Deno.stdin.isTerminal();
  readonly #keys: string[] = [];
  readonly #end = () => this.#press(CTRL_C);
  #pressed = () => {};
  #open = true;

  constructor() {
    write(ENTER);
    for (const signal of ENDS) Deno.addSignalListener(signal, this.#end);
    Deno.addSignalListener("SIGWINCH", this.#resized);
    if (!this.#keyed) return;
    Deno.stdin.setRaw(true);
    this.#listen().catch(this.#end);
  }

  /** Columns and rows. */
  get size(): { columns: number; rows: number } {
    return Deno.consoleSize();
  }

  /** Shows these lines alone; those that the window has no room for are left out. */
  show(lines: readonly string[]): void {
    const rows = lines.slice(0, this.size.rows);
    write(`\x1b[H${rows.map((row) => `${row}\x1b[K`).join("\r\n")}\x1b[J`);
  }

  /** The next key within a time in ms; undefined once that has passed, and "\x03" when it is to end. */
  async key(milliseconds: number): Promise<string | undefined> {
    if (this.#keys.length === 0) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#pressed = resolve;
        timer = setTimeout(resolve, milliseconds);
      });
      clearTimeout(timer);
    }
    return this.#keys.shift();
  }

  [Symbol.dispose](): void {
    this.#open = false;
    for (const signal of ENDS) Deno.removeSignalListener(signal, this.#end);
    Deno.removeSignalListener("SIGWINCH", this.#resized);
    if (this.#keyed) Deno.stdin.setRaw(false);
    write(LEAVE);
  }

  readonly #resized = () => this.#press("");

  async #listen(): Promise<void> {
    const bytes = new Uint8Array(64);
    while (this.#open) {
      const count = await Deno.stdin.read(bytes);
      if (count === null) return this.#end();
      for (const key of new TextDecoder().decode(bytes.subarray(0, count))) this.#press(key);
    }
  }

  #press(key: string): void {
    this.#keys.push(key);
    this.#pressed();
  }
}

function write(text: string): void {
  printBytes("stdout", new TextEncoder().encode(text));
}
