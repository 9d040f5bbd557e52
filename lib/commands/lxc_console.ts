import { RuntsError } from "../base/errors.ts";
import { joinStreams, KeyWatch } from "../cli/join.ts";
import { defineCommand } from "../cli/types.ts";
import { openTerminal } from "../lxc/life/console.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc console",
  group: "system",
  summary: "join a terminal of a container",
  description: [
    "A terminal has one client at a time. What it has shown last is shown again. On the escape key " +
    "and q it is left; the escape key twice is that key.",
  ],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    tty: {
      short: "t",
      value: "N",
      description: "the terminal, 0 for the console (default: the first that is free)",
    },
    escape: { short: "e", value: "^X", description: "the escape key (default: ^a)" },
  },
  examples: [{ text: "the console", command: "runts lxc console -n web -t 0" }],
  async run(context) {
    const { runtime, args, options } = context;
    if (versionWanted(context)) return;
    const id = systemIdOf(runtime, choiceOf(context, args.name));
    const escape = escapeOf(options.escape ?? "^a");
    const number = numberOf(options.tty);
    if (!Deno.stdin.isTerminal()) throw new RuntsError("the standard input is not a terminal");
    using terminal = await openTerminal(runtime, id, number);
    banner(terminal.number, escape);
    await joinStreams(terminal.streams, {
      input: true,
      watch: new EscapeWatch(escape),
      resize: terminal.resize,
    });
  },
});

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "-1") return undefined;
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new RuntsError(`option "--tty": ${JSON.stringify(text)} is not a number`);
}

/** `^a` or a letter; the key with Ctrl. */
function escapeOf(text: string): number {
  const letter = /^\^?([a-zA-Z])$/.exec(text)?.[1];
  if (letter !== undefined) return letter.toUpperCase().charCodeAt(0) & 0x1f;
  throw new RuntsError(`option "--escape": ${JSON.stringify(text)} is not a key`, {
    hint: 'as "^a"',
  });
}

function banner(number: number, escape: number): void {
  const key = `Ctrl+${String.fromCharCode(escape + 0x60)}`;
  const text = `\nConnected to tty ${number}\nType <${key} q> to exit the console, ` +
    `<${key} ${key}> to enter ${key} itself\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

const QUIT = "q".charCodeAt(0);

/** The escape key and q leave; twice, it is itself. */
class EscapeWatch implements Pick<KeyWatch, "pass"> {
  #escaped = false;

  constructor(readonly escape: number) {}

  pass(bytes: Uint8Array): Uint8Array | undefined {
    const out: number[] = [];
    for (const byte of bytes) {
      if (this.#escaped && byte === QUIT) return undefined;
      const begins = !this.#escaped && byte === this.escape;
      if (this.#escaped && byte !== this.escape) out.push(this.escape);
      if (!begins) out.push(byte);
      this.#escaped = begins;
    }
    return new Uint8Array(out);
  }
}
