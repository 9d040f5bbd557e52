/** The layout of the C sources: what clang-format makes of .clang-format, where clang-format is there. */

import { ROOT } from "../support/paths.ts";
import type { Source } from "./source.ts";

/** The places that clang-format would change. */
export async function checkLayout(sources: readonly Source[]): Promise<string[]> {
  const files = sources.map(({ path }) => path).filter((path) => /\.[ch]$/.test(path));
  const args = ["--dry-run", "-Werror", "--style=file", ...files];
  try {
    const { success, stderr } = await new Deno.Command("clang-format", { args, cwd: ROOT })
      .output();
    if (success) return [];
    const places = [...new TextDecoder().decode(stderr).matchAll(/^(\S+:\d+):\d+: error/gm)];
    return places.map((match) =>
      `${match[1]}: not as clang-format lays it out: run clang-format -i`
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
