/** Guesses what a mistyped word was meant to be. */

/** Every so many letters of a word, one may be wrong. */
const LETTERS_PER_CHANGE = 3;

/** The candidate that differs least from `word`; undefined when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.floor(word.length / LETTERS_PER_CHANGE) + 1;
  for (const candidate of candidates) {
    const changes = candidate.startsWith(word) && word.length > 2 ? 1 : distance(word, candidate);
    if (changes < least && changes < candidate.length) {
      best = candidate;
      least = changes;
    }
  }
  return best;
}

/** The same for keys of JSON; one that differs in case alone comes before all others. */
export function meantKey(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  return candidates.find((one) => one.toLowerCase() === lower) ?? nearest(word, candidates);
}

/**
 * How many letters must be inserted, removed or replaced, or neighbours swapped (the restricted
 * Damerau-Levenshtein distance).
 */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? before[j - 2]! + 1 : replace;
      next.push(Math.min(replace, swap, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
