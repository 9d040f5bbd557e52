/** Reads pieces of the linked executable, at run time. */

/** Where a piece stands in the executable: offset and length, in bytes. */
export type Span = [offset: number, length: number];

let executable: Deno.FsFile | undefined;

/** One piece; the executable is opened once. */
export function read([offset, length]: Span): Uint8Array<ArrayBuffer> {
  executable ??= Deno.openSync("/proc/self/exe");
  executable.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = executable.readSync(bytes.subarray(filled));
    if (count === null) throw new Error("the runts executable is truncated");
    filled += count;
  }
  return bytes;
}
