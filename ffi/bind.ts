/**
 * Opens a shared library and gives its functions, typed by their signatures.
 *
 * `Deno.dlopen` compiles a trampoline for every function that it is told of, some 0.2 ms each:
 * worth it for a function that is called a million times. Ours are called a few times, so the
 * library is opened for its addresses only and functions are called by pointer (2 us a call).
 */

/** Signatures by the name that the caller uses; `name` is that of the symbol, if it differs. */
export type Signatures = Readonly<Record<string, Deno.ForeignFunction>>;

/** The functions of a library. */
export type Functions<S extends Signatures> = Deno.DynamicLibrary<S>["symbols"];

/** Opens the library for the rest of the process. Throws as `Deno.dlopen` does. */
export function openLibrary<const S extends Signatures>(path: string, signatures: S): Functions<S> {
  const addresses: Record<string, { name: string; type: "pointer" }> = {};
  for (const [key, signature] of Object.entries(signatures)) {
    addresses[key] = { name: signature.name ?? key, type: "pointer" };
  }
  const { symbols } = Deno.dlopen(path, addresses);
  const functions: Record<string, (...values: never[]) => unknown> = {};
  for (const [key, signature] of Object.entries(signatures)) {
    const pointer = symbols[key] as Deno.PointerObject<typeof signature>;
    const target = new Deno.UnsafeFnPointer(pointer, signature);
    functions[key] = (...values) => target.call(...values);
  }
  return functions as Functions<S>;
}
