/** Text line by line. */

/**
 * The lines of a stream of UTF-8, without their ends (`\n` or `\r\n`); a last line needs none. A loop that
 * is left early cancels the stream.
 *
 * ```ts
 * import { Container, lines } from "@runts/runts";
 *
 * await using box = await Container.create({ id: "job", bundle: "/bundles/job", stdout: "piped" });
 * await box.start();
 * for await (const line of lines(box.stdout)) console.log(line);
 * ```
 */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const [first = "", ...others] = decoder.decode(chunk, { stream: true }).split("\n");
    rest += first;
    for (const next of others) {
      yield withoutReturn(rest);
      rest = next;
    }
  }
  rest += decoder.decode();
  if (rest !== "") yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
