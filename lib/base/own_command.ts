/** How runts is run by somebody else, later. */

/** The first words of a command line that runs this runts, whoever runs now: the command, or a script. */
export function ownCommand(): string[] {
  if (Deno.build.standalone) return [Deno.execPath()];
  const flags = ["--no-lock", "--unstable-raw-imports"];
  return [Deno.execPath(), "run", "-A", ...flags, new URL("../../main.ts", import.meta.url).href];
}
