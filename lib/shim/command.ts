/** What runts does under the name of a shim. */

import { reason } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { load } from "../runtime/load.ts";
import { Runtime } from "../runtime/runtime.ts";
import { shimArguments } from "./arguments.ts";

/** Most of what `start` and `delete` wait for comes within this time, in ms. */
const PATIENCE = 5;

/** The streams of whoever runs it, and what ends it. */
interface ShimStreams {
  /** All of the standard input. */
  input(): Uint8Array;
  print(bytes: Uint8Array): void;
  /** Takes a line without its end. */
  fail(line: string): void;
  /** A signal that is aborted when the process is asked to end. */
  asked(): AbortSignal;
}

/** Gives the exit code. Nothing but the answer is printed: containerd takes both streams for it. */
export async function runShim(words: readonly string[], streams: ShimStreams): Promise<number> {
  try {
    if (words[0] === "serve") {
      const { serveApart } = await import("./serve.ts");
      await serveApart(words.slice(1), streams.asked());
      return 0;
    }
    streams.print(await answer(words, streams));
    return 0;
  } catch (error) {
    streams.fail(`runts: shim: ${reason(error)}`);
    return 1;
  }
}

async function answer(words: readonly string[], { input }: ShimStreams): Promise<Uint8Array> {
  const args = shimArguments(words);
  if (args.version) {
    return new TextEncoder().encode(`containerd-shim-runts-v2:\n  Version:  ${VERSION}\n`);
  }
  if (args.info) {
    const { shimInfo } = await import("./info.ts");
    return await shimInfo(input());
  }
  const runtime = await load(new Runtime({ patience: PATIENCE }));
  if (args.verb === "start") {
    const { ownCaller, startShim } = await import("./start.ts");
    return await startShim(runtime, args, ownCaller(runtime, input()));
  }
  const { deleteShim } = await import("./delete.ts");
  return await deleteShim(runtime, args);
}
