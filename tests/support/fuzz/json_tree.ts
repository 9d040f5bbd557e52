/** JSON as a tree that can also hold what no parser gives: keys twice, numbers of any spelling. */

/** Text that stands in the document as it is: a number, a word. */
export class Raw {
  constructor(readonly text: string) {}
}

/** An object, whose keys may come more than once. */
export class Fields {
  constructor(readonly entries: [key: string, value: Node][]) {}
}

export type Node = string | Raw | Node[] | Fields;

/** Trees are walked by recursion; a deeper text is changed as text. */
const DEPTH_MAX = 200;

/** The tree of a text; undefined when it is not JSON, or is nested too deep. */
export function parseTree(text: string): Node | undefined {
  try {
    return treeOf(JSON.parse(text, asWritten), 0);
  } catch {
    return undefined;
  }
}

/** Numbers keep all their digits. */
function asWritten(this: unknown, _key: string, value: unknown, context?: { source?: string }) {
  return typeof value === "number" ? new Raw(context?.source ?? String(value)) : value;
}

function treeOf(value: unknown, depth: number): Node {
  if (depth > DEPTH_MAX) throw new RangeError("too deep");
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((item) => treeOf(item, depth + 1));
  if (value instanceof Raw) return value;
  if (typeof value !== "object" || value === null) return new Raw(String(value));
  return new Fields(Object.entries(value).map(([key, part]) => [key, treeOf(part, depth + 1)]));
}

/** The text of a tree. With `escape`, strings are spelt with an escape for every character. */
export function printTree(node: Node, escape = false): string {
  if (typeof node === "string") return printText(node, escape);
  if (node instanceof Raw) return node.text;
  if (Array.isArray(node)) return `[${node.map((item) => printTree(item, escape)).join(",")}]`;
  const entries = node.entries.map(([key, value]) =>
    `${printText(key, escape)}:${printTree(value, escape)}`
  );
  return `{${entries.join(",")}}`;
}

function printText(text: string, escape: boolean): string {
  if (!escape) return JSON.stringify(text);
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}"`;
}
