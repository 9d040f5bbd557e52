import type { Run } from "../cli/dispatch.ts";
import type { Command } from "../cli/types.ts";

/** Where the code of each verb is; static strings, so that `deno compile` and the linker see them. */
const VERBS: Record<string, () => Promise<{ command: Command }>> = {
  completion: () => import("./completion.ts"),
  create: () => import("./create.ts"),
  delete: () => import("./delete.ts"),
  events: () => import("./events.ts"),
  exec: () => import("./exec.ts"),
  explain: () => import("./explain.ts"),
  features: () => import("./features.ts"),
  help: () => import("./help.ts"),
  kill: () => import("./kill.ts"),
  list: () => import("./list.ts"),
  lxc: () => import("./lxc.ts"),
  man: () => import("./man.ts"),
  pause: () => import("./pause.ts"),
  ps: () => import("./ps.ts"),
  resume: () => import("./resume.ts"),
  run: () => import("./run.ts"),
  spec: () => import("./spec.ts"),
  start: () => import("./start.ts"),
  state: () => import("./state.ts"),
  update: () => import("./update.ts"),
  validate: () => import("./validate.ts"),
  version: () => import("./version.ts"),
};

/** The verbs that exist, in alphabetical order. */
export function verbs(): string[] {
  return Object.keys(VERBS).sort();
}

/** Loads one verb from its source file; undefined where there is no such verb. */
export function load(verb: string): Promise<Run> | undefined {
  const importer = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  return importer && loadCommand(importer);
}

async function loadCommand(importer: () => Promise<{ command: Command }>): Promise<Run> {
  const [{ runCommand }, { command }] = await Promise.all([import("../cli/run.ts"), importer()]);
  return (args) => runCommand(command, args);
}
