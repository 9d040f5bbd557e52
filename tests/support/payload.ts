/** Static programs of tests/payload, which run inside containers. */

import type { Bundle } from "./bundle.ts";
import { PROJECT } from "./runtime.ts";

/** A directory with the programs, for hosts that have no compiler. */
const MADE = Deno.env.get("RUNTS_TEST_PAYLOADS");

const built = new Map<string, Promise<Uint8Array>>();

/** Puts a program into the root filesystem as /bin/NAME, compiled when first wanted. */
export async function addPayload(bundle: Bundle, name: string): Promise<void> {
  let program = built.get(name);
  if (program === undefined) built.set(name, program = buildPayload(name));
  const path = `${bundle.rootfs}/bin/${name}`;
  Deno.writeFileSync(path, await program);
  Deno.chmodSync(path, 0o755);
}

/** The executable out of tests/payload/NAME.c. Throws when it cannot be compiled. */
export async function buildPayload(name: string): Promise<Uint8Array> {
  if (MADE !== undefined) return await Deno.readFile(`${MADE}/${name}`);
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
