/** What validation finds, and the place in the document that it is looking at. */

import { quote } from "../../base/errors.ts";
import { isObject } from "../json/exact.ts";

/** The kinds of rules that a document can break; `host`: what it asks for is not on this one. */
export type Rule =
  | "type"
  | "required"
  | "range"
  | "name"
  | "format"
  | "duplicate"
  | "combination"
  | "version"
  | "unknown"
  | "host";

/** Which of the candidates a word was meant to be. */
export type Guess = (word: string, candidates: readonly string[]) => string | undefined;

/** One fault of a document. */
export interface Finding {
  /** JSON path, as `mounts[3].options[1]` or `linux.sysctl["net.ipv4.ip_forward"]`; "" is the top. */
  readonly path: string;
  /** What is there; undefined if nothing is. */
  readonly value: unknown;
  /** What is broken. */
  readonly rule: Rule;
  /** The fault in words, with the value quoted: `"tmp" is not an absolute path`. */
  readonly message: string;
}

/** `PATH: MESSAGE`, as it is printed. */
export function findingText(finding: Finding): string {
  return finding.path === "" ? finding.message : `${finding.path}: ${finding.message}`;
}

type Key = string | number;

/** How a kind of namespace is asked for; `unknown` when the list itself is at fault. */
type NamespaceUse = "none" | "new" | "joined" | "unknown";

/** A walk through a document: the current place, the findings so far, what the rules look up. */
export class Walk {
  readonly findings: Finding[] = [];
  /** Keys that lead to the current place. */
  readonly place: Key[] = [];
  readonly #namespaces: Map<unknown, NamespaceUse> | undefined;
  /** Of the document, if it says. */
  readonly ociVersion: unknown;
  /** Whether somebody is named who takes the descriptor of a seccomp listener. */
  readonly seccompReceiver: boolean;

  constructor(document: unknown, readonly meant?: Guess) {
    const linux = property(document, "linux");
    const list = property(linux, "namespaces") ?? [];
    this.#namespaces = linux !== undefined && !isObject(linux) || !Array.isArray(list)
      ? undefined
      : new Map(list.map((item) => [
        property(item, "type"),
        property(item, "path") ? "joined" : "new",
      ]));
    this.ociVersion = property(document, "ociVersion");
    const annotations = property(document, "annotations");
    this.seccompReceiver = Boolean(property(annotations, "run.oci.seccomp.receiver"));
  }

  namespace(type: string): NamespaceUse {
    if (this.#namespaces === undefined) return "unknown";
    return this.#namespaces.get(type) ?? "none";
  }

  /**
   * Records a fault of the value at the current place, or below it. `fault` follows the quoted
   * value in the message; it stands alone where there is no value, or one too large to quote.
   */
  report(rule: Rule, value: unknown, fault: string, ...below: readonly Key[]): void {
    const whole = rule !== "type" && typeof value === "object";
    const message = value === undefined || whole ? fault : `${show(value)} ${fault}`;
    this.findings.push({ path: jsonPath([...this.place, ...below]), value, rule, message });
  }
}

/** The JSON path of a list of keys. */
export function jsonPath(keys: readonly Key[]): string {
  let path = "";
  for (const key of keys) {
    if (typeof key === "number") path += `[${key}]`;
    else if (!/^[A-Za-z_$][\w$]*$/.test(key)) path += `[${quote(key)}]`;
    else path += path === "" ? key : `.${key}`;
  }
  return path;
}

/** A value in a message: objects and arrays only by their kind, for they can be of any depth. */
function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : "[…]";
  if (isObject(value)) return Object.keys(value).length === 0 ? "{}" : "{…}";
  return quote(value);
}

/** A property of something that may be no object; null counts as absent. */
function property(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] ?? undefined : undefined;
}
