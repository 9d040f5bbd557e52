/** Where the helper library's bytes come from; the linked executable has them inside. */

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
