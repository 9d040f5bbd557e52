/** Every command, for help, completion and the manual page; running one never needs this. */

import type { Declaration } from "../cli/types.ts";
import { ABOUT } from "./about.ts";
import { command as attach } from "./attach.ts";
import { command as checkpoint } from "./checkpoint.ts";
import { command as create } from "./create.ts";
import { command as remove } from "./delete.ts";
import { command as doctor } from "./doctor.ts";
import { command as events } from "./events.ts";
import { command as exec } from "./exec.ts";
import { command as explain } from "./explain.ts";
import { command as features } from "./features.ts";
import { command as inspect } from "./inspect.ts";
import { command as kill } from "./kill.ts";
import { command as library } from "./library.ts";
import { command as list } from "./list.ts";
import { command as logs } from "./logs.ts";
import { command as lxc } from "./lxc.ts";
import { command as mounts } from "./mounts.ts";
import { command as pause } from "./pause.ts";
import { command as ps } from "./ps.ts";
import { command as restart } from "./restart.ts";
import { command as restore } from "./restore.ts";
import { command as resume } from "./resume.ts";
import { command as run } from "./run.ts";
import { command as serve } from "./serve.ts";
import { command as spec } from "./spec.ts";
import { command as start } from "./start.ts";
import { command as state } from "./state.ts";
import { command as stop } from "./stop.ts";
import { command as top } from "./top.ts";
import { command as trace } from "./trace.ts";
import { command as update } from "./update.ts";
import { command as validate } from "./validate.ts";
import { command as wait } from "./wait.ts";

/** In the order of the overview, group by group. */
export const ALL: readonly Declaration[] = [
  run,
  create,
  start,
  kill,
  stop,
  remove,
  wait,
  restart,
  logs,
  attach,
  list,
  state,
  inspect,
  ps,
  top,
  exec,
  pause,
  resume,
  update,
  mounts,
  events,
  checkpoint,
  restore,
  spec,
  validate,
  explain,
  trace,
  features,
  doctor,
  lxc,
  serve,
  ...ABOUT,
  library,
];
