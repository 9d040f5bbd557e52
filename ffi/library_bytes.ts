/** Where the helper library's bytes come from; the linked executable has them inside. */

/** The shared library that the build made. Throws when it has not been built. */
export async function libraryBytes(): Promise<Uint8Array> {
  try {
    const { default: bytes } = await import("../dist/librunts.so", { with: { type: "bytes" } });
    return bytes;
  } catch (error) {
    // A script of another project, whose deno.json does not enable imports of bytes.
    if (!(error instanceof TypeError) || !/raw-imports|module type/.test(error.message)) {
      throw error;
    }
    return Deno.readFileSync(new URL("../dist/librunts.so", import.meta.url));
  }
}
