/** Static programs of tests/payload, which run inside containers. */

import type { Bundle } from "./bundle.ts";
import { PROJECT } from "./runtime.ts";

const built = new Map<string, Promise<Uint8Array>>();

/** Puts a program into the root filesystem as /bin/NAME, compiled when first wanted. */
export async function addPayload(bundle: Bundle, name: string): Promise<void> {
  let program = built.get(name);
  if (program === undefined) built.set(name, program = build(name));
  const path = `${bundle.rootfs}/bin/${name}`;
  Deno.writeFileSync(path, await program);
  Deno.chmodSync(path, 0o755);
}

async function build(name: string): Promise<Uint8Array> {
  const directory = await Deno.makeTempDir({ prefix: "runts-payload-" });
  try {
    const program = `${directory}/${name}`;
    const source = `${PROJECT}/tests/payload/${name}.c`;
    const flags = ["-std=c11", "-static", "-O1", "-Wall", "-Wextra", "-Werror"];
    const { success, stderr } = await new Deno.Command("musl-gcc", {
      args: [...flags, "-o", program, source],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return await Deno.readFile(program);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
