/**
 * main.ts of the linked executable. Its first argument is the directory that runts was started
 * in, which the stub has left; the second is where a code cache is missing, or empty; the third is
 * the path of the helper library; the fourth has the caller's limits that the stub has raised.
 */

import { dispatch, findVerb } from "../../../lib/cli/dispatch.ts";
import { installCodeCache } from "./install.ts";
import { load } from "./load.ts";

/** The verbs that make a container, and so write to the state root anyway. */
const INSTALLERS = ["create", "run"];

// The stub gives these arguments; without any, this is being compiled for the cache.
if (Deno.args.length > 0) {
  const [directory, missingCache, library, limits] = Deno.args as [string, string, string, string];
  const args = Deno.args.slice(4);
  if (directory) Deno.chdir(directory);
  const code = await dispatch(args, (verb) => load(verb, { library, limits }));
  if (missingCache && code === 0 && INSTALLERS.includes(findVerb(args))) {
    installCodeCache(missingCache);
  }
  Deno.exit(code);
}
