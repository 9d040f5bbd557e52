/**
 * Types of the parts of Deno's standard library that the tests use. The copy on npm carries no
 * declarations; the one on JSR does, and then this file is not consulted.
 */

declare module "@std/assert" {
  export class AssertionError extends Error {}
  // deno-lint-ignore no-explicit-any
  type Constructor<T> = abstract new (...args: any[]) => T;

  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertFalse(expr: unknown, msg?: string): void;
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertInstanceOf<T>(
    actual: unknown,
    expected: Constructor<T>,
    msg?: string,
  ): asserts actual is T;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    msg?: string,
  ): void;
  export function assertObjectMatch(
    actual: object,
    expected: Record<PropertyKey, unknown>,
    msg?: string,
  ): void;
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    errorClass: Constructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: Constructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function equal(a: unknown, b: unknown): boolean;
  export function fail(msg?: string): never;
  export function unreachable(msg?: string): never;
  export function unimplemented(msg?: string): never;
}

declare module "@std/path" {
  export interface ParsedPath {
    root: string;
    dir: string;
    base: string;
    ext: string;
    name: string;
  }
  export const SEPARATOR: string;
  export function basename(path: string | URL, suffix?: string): string;
  export function dirname(path: string | URL): string;
  export function extname(path: string | URL): string;
  export function fromFileUrl(url: string | URL): string;
  export function toFileUrl(path: string): URL;
  export function isAbsolute(path: string): boolean;
  export function join(path: string | URL, ...paths: string[]): string;
  export function normalize(path: string | URL): string;
  export function parse(path: string): ParsedPath;
  export function relative(from: string, to: string): string;
  export function resolve(...paths: string[]): string;
}

declare module "@std/yaml" {
  export function parse(content: string): unknown;
}
