/** What must be taken out of a list and put in to make another of it. */

/** Of which of the two it is. */
export type Change = "removed" | "added";

/** One entry that only one of the lists has. */
interface Changed<T> {
  readonly change: Change;
  readonly item: T;
}

/**
 * The fewest changes, in order, what is removed before what is added. Entries with the same key are equal. It takes time
 * by the product of the two lengths.
 */
export function changesOf<T>(
  before: readonly T[],
  after: readonly T[],
  keyBefore: (item: T) => string,
  keyAfter = keyBefore,
): Changed<T>[] {
  const [a, b] = [before.map(keyBefore), after.map(keyAfter)];
  const common = commonLengths(a, b);
  const changes: Changed<T>[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (i < a.length && (j === b.length || common[i + 1]![j]! >= common[i]![j + 1]!)) {
      changes.push({ change: "removed", item: before[i++]! });
    } else changes.push({ change: "added", item: after[j++]! });
  }
  return changes;
}

/** At [i][j]: the length of the longest list that is part of both ends from i and from j on. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const lengths = Array.from(
    { length: a.length + 1 },
    () => new Array<number>(b.length + 1).fill(0),
  );
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] = a[i] === b[j]
        ? lengths[i + 1]![j + 1]! + 1
        : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  return lengths;
}
