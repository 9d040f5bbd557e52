/**
 * main.ts of the linked executable: its first argument is the directory that runts was started
 * in, which the stub has left.
 */

import { dispatch } from "../../lib/cli/dispatch.ts";
import { load } from "./load.ts";

const directory = Deno.args[0];
if (directory) Deno.chdir(directory);
Deno.exit(await dispatch(Deno.args.slice(1), load));
