/**
 * Calls functions of shared libraries, typed by their signatures.
 *
 * `Deno.dlopen` compiles a trampoline for each function that it is told of, some 0.2 ms each:
 * worth it for a function that is called a million times. Ours are called a few times, so only
 * their addresses are looked up, and they are called by pointer (2 us a call).
 */

/** Signatures by the name that the caller uses; `name` is that of the symbol, if it differs. */
export type Signatures = Readonly<Record<string, Deno.ForeignFunction>>;

/** The functions of a library. */
export type Functions<S extends Signatures> = Deno.DynamicLibrary<S>["symbols"];

type AnyFunction = (...values: never[]) => unknown;

/** Opens the library for the rest of the process. Throws as `Deno.dlopen` does. */
export function openLibrary<const S extends Signatures>(path: string, signatures: S): Functions<S> {
  const addresses: Record<string, { name: string; type: "pointer" }> = {};
  for (const [key, { name = key }] of Object.entries(signatures)) {
    addresses[key] = { name, type: "pointer" };
  }
  const { symbols } = Deno.dlopen(path, addresses);
  return bindFunctions(signatures, (_, key) => symbols[key] as Deno.PointerValue);
}

/**
 * Functions that are looked up when they are first used.
 *
 * @param find gives the address of a symbol; `key` is the caller's name for it
 */
export function bindFunctions<const S extends Signatures>(
  signatures: S,
  find: (symbol: string, key: string) => Deno.PointerValue,
): Functions<S> {
  const bound: Record<string, AnyFunction> = {};
  return new Proxy(bound, {
    get(_, key: string) {
      const signature = signatures[key];
      // A promise that is resolved with this object asks it for `then`.
      if (signature === undefined) return undefined;
      return bound[key] ??= bindFunction(signature, find(signature.name ?? key, key), key);
    },
  }) as Functions<S>;
}

function bindFunction(
  signature: Deno.ForeignFunction,
  address: Deno.PointerValue,
  key: string,
): AnyFunction {
  if (address === null) throw new TypeError(`the library has no function ${JSON.stringify(key)}`);
  const target = new Deno.UnsafeFnPointer(
    address as Deno.PointerObject<typeof signature>,
    signature,
  );
  return (...values) => target.call(...values);
}
