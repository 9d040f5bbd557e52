/** A slow, exact reader of JSON, for texts that the engine's own parser refused or may have bent. */

import { quote, RuntsError } from "../../base/errors.ts";
import { jsonPath } from "../check/findings.ts";

const SPACE = /[ \t\r\n]*/y;
// deno-lint-ignore no-control-regex -- JSON strings must escape them
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y;

/** An array or object that is open, and how far it has been read. */
interface Level {
  /** Keys that came; undefined for an array. */
  readonly keys: Set<string> | undefined;
  /** The key or index of the part that is being read. */
  at: string | number;
  expects: "first" | "value" | "key" | "colon" | "comma";
}

interface Token {
  readonly kind: "mark" | "string" | "scalar" | "end" | "other";
  readonly text: string;
  readonly start: number;
}

/** Throws RuntsError at the first fault of the grammar, and at a key that comes twice. */
export function scanJson(text: string, file: string): void {
  new Scanner(text, file).run();
}

class Scanner {
  readonly #levels: Level[] = [];
  #offset = 0;

  constructor(readonly text: string, readonly file: string) {}

  run(): void {
    for (let begun = false;; begun = true) {
      const token = this.#next();
      const level = this.#levels.at(-1);
      if (token.kind === "end") {
        if (begun && !level) return;
        this.#fail(token, begun ? "unexpected end of the text" : "the text is empty");
      }
      if (begun && !level) this.#fail(token, "there is text after the end of the document");
      if (token.kind === "other") this.#fail(token, `unexpected ${quote(token.text)}`);
      if (!this.#accept(level, token)) {
        this.#fail(token, `expected ${expected(level)}, found ${quote(token.text)}`);
      }
    }
  }

  #next(): Token {
    this.#match(SPACE);
    const start = this.#offset;
    const mark = this.text[start];
    if (mark === undefined) return { kind: "end", text: "", start };
    if ("{}[],:".includes(mark)) {
      this.#offset++;
      return { kind: "mark", text: mark, start };
    }
    const string = this.#match(STRING);
    if (string !== undefined) return { kind: "string", text: string, start };
    const scalar = this.#match(SCALAR);
    if (scalar !== undefined) return { kind: "scalar", text: scalar, start };
    return { kind: "other", text: /^\S{1,20}/.exec(this.text.slice(start))?.[0] ?? "", start };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.text)?.[0];
    this.#offset += found?.length ?? 0;
    return found;
  }

  /** Takes a token if it fits where the text is; false if it does not. */
  #accept(level: Level | undefined, token: Token): boolean {
    const expects = level?.expects ?? "value";
    if (level && token.text === (level.keys ? "}" : "]") && token.kind === "mark") {
      return (expects === "first" || expects === "comma") && this.#close();
    }
    if (level?.keys && (expects === "first" || expects === "key")) {
      return token.kind === "string" && this.#key(level, token);
    }
    if (level && (expects === "colon" || expects === "comma")) {
      if (token.text !== (expects === "colon" ? ":" : ",")) return false;
      if (typeof level.at === "number") level.at++;
      level.expects = expects === "comma" && level.keys ? "key" : "value";
      return true;
    }
    if (token.kind !== "mark") {
      if (level) level.expects = "comma";
      return true;
    }
    const keys = token.text === "{" ? new Set<string>() : undefined;
    this.#levels.push({ keys, at: keys ? "" : 0, expects: "first" });
    return keys !== undefined || token.text === "[";
  }

  #close(): boolean {
    this.#levels.pop();
    const outer = this.#levels.at(-1);
    if (outer) outer.expects = "comma";
    return true;
  }

  #key(level: Level, token: Token): boolean {
    const key: string = JSON.parse(token.text);
    level.at = key;
    level.expects = "colon";
    if (level.keys?.has(key)) {
      const path = jsonPath(this.#levels.map((level) => level.at));
      throw new RuntsError(`${this.#place(token)}: the key ${path} comes twice`);
    }
    level.keys?.add(key);
    return true;
  }

  #place(token: Token): string {
    const lines = this.text.slice(0, token.start).split("\n");
    return `${this.file}:${lines.length}:${lines.at(-1)!.length + 1}`;
  }

  #fail(token: Token, fault: string): never {
    throw new RuntsError(`${this.#place(token)}: malformed JSON: ${fault}`);
  }
}

function expected(level: Level | undefined): string {
  const close = level?.keys ? '"}"' : '"]"';
  switch (level?.expects) {
    case "colon":
      return '":"';
    case "comma":
      return `"," or ${close}`;
    case "key":
      return "a key";
    case "first":
      return `${level.keys ? "a key" : "a value"} or ${close}`;
    default:
      return "a value";
  }
}
