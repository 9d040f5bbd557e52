/** The configuration files that docs/clients.md shows; the tests use them as they stand there. */

import { PROJECT } from "../runtime.ts";
import type { Sandbox } from "./sandbox.ts";

const DOCUMENT = Deno.readTextFileSync(`${PROJECT}/docs/clients.md`);

/** The code block after `<!-- file: PATH -->`. */
export function snippet(path: string): string {
  const name = path.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const block = new RegExp(`<!-- file: ${name} -->\n+\`\`\`\\w*\n([^]*?)\`\`\``).exec(DOCUMENT);
  if (block === null) throw new Error(`docs/clients.md has no file ${path}`);
  return block[1]!;
}

/** Puts a documented file where the document says. */
export async function install(sandbox: Sandbox, path: string): Promise<void> {
  await sandbox.write(path, snippet(path));
}
