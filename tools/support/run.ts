/** Runs other programs for the tools. */

/** Ends the tool with one line on stderr. */
export function fail(message: string): never {
  console.error(`error: ${message}`);
  Deno.exit(1);
}

/**
 * Runs a program with the tool's own standard streams. Throws when it cannot be started or fails.
 */
export async function run(
  program: string,
  args: string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<void> {
  const { code } = await new Deno.Command(program, { ...options, args }).spawn().status;
  if (code !== 0) throw new Error(`"${program} ${args.join(" ")}" ended with code ${code}`);
}

/** What a program prints on stdout. Throws when it cannot be started or fails. */
export async function output(
  program: string,
  args: string[],
  options: Pick<Deno.CommandOptions, "cwd"> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { ...options, args })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`"${program} ${args.join(" ")}": ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}

/** Runs `work` on every item, at most `width` at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
