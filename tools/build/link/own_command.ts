/** Takes the place of lib/base/own_command.ts in the linked executable, which is all that is needed. */

/** The first words of a command line that runs this runts. */
export function ownCommand(): string[] {
  return [Deno.execPath()];
}
