/**
 * A calculator that outlives the script which made it: another one finds it by its name, joins its streams,
 * asks it something, and leaves it as it was. Its log has all of it.
 *
 *     deno run -A examples/attached.ts [ROOTFS [STATE_ROOT]]
 */

import { Container, lines } from "@runts/runts";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;
const id = `calculator-${Deno.pid}`;
const script = 'while read line; do echo "$line = $(($line))"; done; echo "no more questions" >&2';

const made = await Container.create({
  id,
  root,
  spec: { root: { path }, process: { args: ["sh", "-c", script] } },
  supervised: { interactive: true },
});
await made.start();

/** What another script does. */
async function ask(question: string): Promise<string | undefined> {
  const calculator = await Container.open(id, { root });
  using streams = await calculator.attach();
  const writer = streams.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${question}\n`));
  for await (const answer of lines(streams.stdout)) return answer;
}

console.log(await ask("6 * 7"));
console.log(await ask("1000 / 8"));

const calculator = await Container.open(id, { root });
{
  using streams = await calculator.attach();
  await streams.stdin.close(); // the end of its input
  console.log(`it says: ${(await streams.stderr.text()).trim()}`);
}
console.log(`it ended with ${(await calculator.wait()).code}`);
for await (const { stream, text } of calculator.logs()) console.log(`${stream}: ${text}`);
await calculator.delete();
