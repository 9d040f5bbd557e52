/** What the build put into dist/; the linked executable has it inside. */

/** What to do about a library that is missing or does not fit. */
export const BUILD = "run deno task build:c";

/** The shared library that the build made. Throws when it has not been built. */
export async function libraryBytes(): Promise<Uint8Array> {
  try {
    const { default: bytes } = await import("../dist/librunts.so", { with: { type: "bytes" } });
    return bytes;
  } catch (error) {
    // Deno gives both cases no other mark than their text.
    const message = error instanceof TypeError ? error.message : "";
    if (message.startsWith("Module not found")) throw new Error("it is not there");
    // A script of another project, whose deno.json does not enable imports of bytes.
    if (/raw-imports|module type/.test(message)) {
      return Deno.readFileSync(new URL("../dist/librunts.so", import.meta.url));
    }
    throw error;
  }
}

/** The commit that runts was built from; undefined where the build did not know it. */
export async function builtCommit(): Promise<string | undefined> {
  try {
    const { default: bytes } = await import("../dist/commit", { with: { type: "bytes" } });
    return new TextDecoder().decode(bytes) || undefined;
  } catch {
    return undefined;
  }
}
