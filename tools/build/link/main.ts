/**
 * main.ts of the linked executable. Its first argument is the directory that runts was started
 * in, which the front has left; the second is where a code cache is missing, or empty; the third is
 * the path of the helper library; the fourth has the caller's limits that the front has raised;
 * the fifth, if it is not empty, says that the front has begun a start; the sixth is what runts was
 * called as.
 */

import { dispatch, findVerb, verbPlace, wordsOf } from "../../../lib/cli/dispatch.ts";
import { installCodeCache } from "./install.ts";
import { load } from "./load.ts";

/** The verbs that make a container, and so write to the state root anyway. */
const INSTALLERS = ["create", "run", "lxc start", "lxc execute"];

/** By then whoever has started a process that stays has got what it wants, in ms. */
const REST = 100;

/** The verb, with the second word of one that has verbs of its own. */
function verbOf(args: readonly string[], calledAs: string): string {
  const words = wordsOf(args, calledAs);
  const verb = findVerb(words);
  return ["lxc", "shim"].includes(verb)
    ? `${verb} ${findVerb(words.slice(verbPlace(words) + 1))}`
    : verb;
}

type Handed = [string, string, string, string, string, string];

// The front gives these arguments; without any, this is being compiled for the cache.
if (Deno.args.length > 0) {
  const [directory, missingCache, library, limits, begun, calledAs] = Deno.args as Handed;
  const args = Deno.args.slice(6);
  if (directory) Deno.chdir(directory);
  const given = { library, limits, begun, calledAs };
  const verb = verbOf(args, calledAs);
  const stays = ["serve", "shim serve"].includes(verb);
  if (missingCache && verb === "shim serve") {
    setTimeout(() => installCodeCache(missingCache), REST);
  }
  const code = await dispatch(args, (verb) => load(verb, given, stays), calledAs);
  if (missingCache && code === 0 && INSTALLERS.includes(verb)) installCodeCache(missingCache);
  Deno.exit(code);
}
