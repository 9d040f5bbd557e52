/**
 * runts: argv in, exit code out.
 *
 * @module
 */

import { dispatch } from "./lib/cli/dispatch.ts";
import { load } from "./lib/commands/load.ts";

Deno.exit(await dispatch(Deno.args, load));
