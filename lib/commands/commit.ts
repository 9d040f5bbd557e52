/** The commit that runts was built from; the executable has it inside. */

/** Undefined where the build did not know it. */
export async function builtCommit(): Promise<string | undefined> {
  try {
    const { default: bytes } = await import("../../dist/commit", { with: { type: "bytes" } });
    return new TextDecoder().decode(bytes) || undefined;
  } catch {
    return undefined;
  }
}
