/** Where two values of any depth differ, so that a test can tell it in a few lines. */

/** Leaves by their path. */
function* leavesOf(value: unknown, path: string): Generator<[path: string, leaf: string]> {
  if (typeof value !== "object" || value === null) return yield [path, JSON.stringify(value)];
  yield [path, Array.isArray(value) ? "a list" : "an object"];
  for (const [key, inner] of Object.entries(value)) yield* leavesOf(inner, `${path}.${key}`);
}

/** `PATH: FOUND, not EXPECTED` for each leaf in which they differ. */
export function differences(found: unknown, expected: unknown): string[] {
  const [own, wanted] = [found, expected].map((value) => new Map(leavesOf(value, ""))) as [
    Map<string, string>,
    Map<string, string>,
  ];
  return [...new Set([...own.keys(), ...wanted.keys()])]
    .filter((path) => own.get(path) !== wanted.get(path))
    .map((path) => `${path}: ${own.get(path)}, not ${wanted.get(path)}`);
}
