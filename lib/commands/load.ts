import type { Run } from "../cli/dispatch.ts";
import type { Command } from "../cli/types.ts";

/** Where the code of each verb is; static strings, so that `deno compile` and the linker see them. */
const VERBS: Record<string, () => Promise<{ command: Command }>> = {
  attach: () => import("./attach.ts"),
  checkpoint: () => import("./checkpoint.ts"),
  completion: () => import("./completion.ts"),
  create: () => import("./create.ts"),
  delete: () => import("./delete.ts"),
  doctor: () => import("./doctor.ts"),
  events: () => import("./events.ts"),
  exec: () => import("./exec.ts"),
  explain: () => import("./explain.ts"),
  features: () => import("./features.ts"),
  help: () => import("./help.ts"),
  inspect: () => import("./inspect.ts"),
  kill: () => import("./kill.ts"),
  library: () => import("./library.ts"),
  list: () => import("./list.ts"),
  logs: () => import("./logs.ts"),
  lxc: () => import("./lxc.ts"),
  man: () => import("./man.ts"),
  mounts: () => import("./mounts.ts"),
  pause: () => import("./pause.ts"),
  ps: () => import("./ps.ts"),
  restart: () => import("./restart.ts"),
  restore: () => import("./restore.ts"),
  resume: () => import("./resume.ts"),
  run: () => import("./run.ts"),
  serve: () => import("./serve.ts"),
  spec: () => import("./spec.ts"),
  start: () => import("./start.ts"),
  state: () => import("./state.ts"),
  stop: () => import("./stop.ts"),
  top: () => import("./top.ts"),
  trace: () => import("./trace.ts"),
  update: () => import("./update.ts"),
  validate: () => import("./validate.ts"),
  version: () => import("./version.ts"),
  wait: () => import("./wait.ts"),
};

/** Those that runts itself calls, and that nobody is told of. */
const OWN_VERBS: typeof VERBS = {
  files: () => import("./files.ts"),
  settle: () => import("./settle.ts"),
  shim: () => import("./shim.ts"),
};

/** The verbs that exist, in alphabetical order; with those that runts itself calls, if they are wanted. */
export function verbs(own = false): string[] {
  return Object.keys(own ? { ...VERBS, ...OWN_VERBS } : VERBS).sort();
}

/** Loads one verb from its source file; undefined where there is no such verb. */
export function load(verb: string): Promise<Run> | undefined {
  const importer = importerOf(verb);
  return importer && loadCommand(importer);
}

/** Its declaration and what it does; undefined where there is no such verb. */
export async function commandOf(verb: string): Promise<Command | undefined> {
  return (await importerOf(verb)?.())?.command;
}

function importerOf(verb: string): (() => Promise<{ command: Command }>) | undefined {
  const table = Object.hasOwn(OWN_VERBS, verb) ? OWN_VERBS : VERBS;
  return Object.hasOwn(table, verb) ? table[verb] : undefined;
}

async function loadCommand(importer: () => Promise<{ command: Command }>): Promise<Run> {
  const [{ runCommand }, { command }] = await Promise.all([import("../cli/run.ts"), importer()]);
  return (args) => runCommand(command, args);
}
