/** Mutations of JSON texts by one who knows JSON: the document stays one nearly always. */

import { Fields, type Node, parseTree, printTree, Raw } from "./json_tree.ts";
import { mutateText } from "./mutate_text.ts";
import type { Random } from "./random.ts";

const NUMBERS = [
  ...["0", "-0", "1", "-1", "2", "7", "255", "1e3", "1.5", "-1.5", "0.1e1", "100e-2"],
  ...["65535", "65536", "2147483647", "2147483648", "4294967294", "4294967295", "4294967296"],
  ...["9007199254740991", "9007199254740993", "9223372036854775807", "9223372036854775808"],
  ...["18446744073709551615", "18446744073709551616", "-9223372036854775809", "1e22", "1e308"],
  ...["1e999", "-1e999", "1e-999", "123456789012345678901234567890", "nan", "Infinity", "0x10"],
];
const WORDS = ["null", "true", "false", "undef", "None"];
/** Names that mean something to the engine's objects. */
const KEYS = ["__proto__", "constructor", "toString", "hasOwnProperty", "length", "then", "", "0"];
const DEEP = [10, 99, 100, 101, 102, 500, 5000];

/** Longer texts take their time and tell nothing new. */
const LONGEST = 1_000_000;

/** How a place in a tree is read and changed. */
interface Place {
  readonly node: Node;
  put(node: Node): void;
  remove(): void;
  /** Has it twice; in an object under the same key. */
  double(): void;
}

/**
 * A changed text.
 *
 * @param others texts of which parts may be taken
 */
export function mutateJson(random: Random, text: string, others: readonly string[]): string {
  const tree = parseTree(text);
  if (tree === undefined || random.oneIn(20)) return mutateText(random, text);
  let root: Node = tree;
  const whole: Place = {
    get node() {
      return root;
    },
    put: (node) => root = node,
    remove: () => {},
    double: () => {},
  };
  do change(random, choose(random, whole), others); while (random.oneIn(2));
  const printed = printTree(root, random.oneIn(50));
  if (printed.length > LONGEST) return text;
  return random.oneIn(50) ? mutateText(random, printed) : printed;
}

/** Walks down; so a part that has much in it is not chosen more often than one that has little. */
function choose(random: Random, place: Place): Place {
  for (;;) {
    const { node } = place;
    const size = Array.isArray(node)
      ? node.length
      : node instanceof Fields
      ? node.entries.length
      : 0;
    if (size === 0 || random.oneIn(8)) return place;
    const index = random.below(size);
    place = Array.isArray(node) ? itemOf(node, index) : fieldOf(node as Fields, index);
  }
}

function itemOf(list: Node[], index: number): Place {
  return {
    node: list[index]!,
    put: (node) => list[index] = node,
    remove: () => list.splice(index, 1),
    double: () => list.splice(index, 0, list[index]!),
  };
}

function fieldOf({ entries }: Fields, index: number): Place {
  const [key, node] = entries[index]!;
  return {
    node,
    put: (node) => entries[index] = [key, node],
    remove: () => entries.splice(index, 1),
    double: () => entries.push([key, node]),
  };
}

function change(random: Random, place: Place, others: readonly string[]): void {
  switch (random.below(9)) {
    case 0:
      return place.remove();
    case 1:
      return place.double();
    case 2:
      return place.put(oddValue(random));
    case 3:
      return place.put(partOf(random, random.pick(others)));
    case 4:
      return place.put(otherKind(random, place.node));
    default:
      return place.put(changed(random, place.node));
  }
}

/** A value of any kind, of those that are likely to be mistaken. */
function oddValue(random: Random): Node {
  switch (random.below(6)) {
    case 0:
      return new Raw(random.pick(WORDS));
    case 1:
      return random.oneIn(2) ? [] : new Fields([]);
    case 2:
      return random.pick(["", "/", "..", ".", "\0", "a\nb", "/proc/self/fd/7", "constructor"]);
    case 3:
      return nested(random, random.pick(DEEP));
    default:
      return new Raw(random.pick(NUMBERS));
  }
}

function nested(random: Random, depth: number): Node {
  const list = random.oneIn(2);
  return new Raw((list ? "[" : '{"a":').repeat(depth) + "1" + (list ? "]" : "}").repeat(depth));
}

/** Some part of another document. */
function partOf(random: Random, text: string): Node {
  const tree = parseTree(text);
  if (tree === undefined) return oddValue(random);
  const nothing = () => {};
  return choose(random, { node: tree, put: nothing, remove: nothing, double: nothing }).node;
}

/** The same content as another kind of value. */
function otherKind(random: Random, node: Node): Node {
  if (random.oneIn(4)) return random.oneIn(2) ? [node] : new Fields([["value", node]]);
  if (typeof node === "string") return /^-?\d+$/.test(node) ? new Raw(node) : [...node].slice(0, 9);
  if (node instanceof Raw) return node.text;
  if (Array.isArray(node)) return new Fields(node.map((item, index) => [String(index), item]));
  return random.oneIn(2) ? node.entries.map(([, value]) => value) : node.entries.flat();
}

/** A value of the same kind. */
function changed(random: Random, node: Node): Node {
  if (typeof node === "string") return mutateText(random, node);
  if (node instanceof Raw) return new Raw(changedNumber(random, node.text));
  return Array.isArray(node) ? changedList(random, node) : changedFields(random, node);
}

function changedNumber(random: Random, text: string): string {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || random.oneIn(2)) return random.pick(NUMBERS);
  return String(random.pick([number + 1, number - 1, -number, number * 2, number * 1000, ~number]));
}

function changedList(random: Random, list: Node[]): Node[] {
  const [at, other] = [random.below(list.length + 1), random.below(list.length + 1)];
  switch (random.below(4)) {
    case 0:
      return [...list, ...list.slice(at)];
    case 1:
      return list.slice(Math.min(at, other), Math.max(at, other));
    case 2:
      return [...list.slice(at), ...list.slice(0, at)];
    default:
      // Longer than any limit on the number of entries that the project has.
      return random.oneIn(20) && list.length > 0
        ? Array.from({ length: 3000 }, (_, index) => list[index % list.length]!)
        : [...list.slice(0, at), oddValue(random), ...list.slice(at)];
  }
}

function changedFields(random: Random, { entries }: Fields): Fields {
  const at = random.below(entries.length + 1);
  const key = random.oneIn(2) || at === entries.length ? random.pick(KEYS) : entries[at]![0];
  if (random.oneIn(2) || entries.length === 0) {
    return new Fields([...entries, [key, oddValue(random)]]);
  }
  // A value under another key.
  const from = random.below(entries.length);
  return new Fields(entries.map((entry, index) => index === from ? [key, entry[1]] : entry));
}
