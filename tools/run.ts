/** Runs other programs for the tools. */

/**
 * Runs a program with the tool's own standard streams. Throws when it cannot be started or fails.
 */
export async function run(program: string, args: string[]): Promise<void> {
  const { code } = await new Deno.Command(program, { args, stdin: "inherit" }).spawn().status;
  if (code !== 0) throw new Error(`"${program} ${args.join(" ")}" ended with code ${code}`);
}
