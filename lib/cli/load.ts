import type { Run } from "./dispatch.ts";
import type { Command } from "./types.ts";

/** Where the code of each verb is; static strings, so that `deno compile` and the linker see them. */
const VERBS: Record<string, () => Promise<{ command: Command }>> = {
  completion: () => import("../commands/completion.ts"),
  create: () => import("../commands/create.ts"),
  delete: () => import("../commands/delete.ts"),
  events: () => import("../commands/events.ts"),
  exec: () => import("../commands/exec.ts"),
  explain: () => import("../commands/explain.ts"),
  features: () => import("../commands/features.ts"),
  help: () => import("../commands/help.ts"),
  kill: () => import("../commands/kill.ts"),
  list: () => import("../commands/list.ts"),
  man: () => import("../commands/man.ts"),
  pause: () => import("../commands/pause.ts"),
  ps: () => import("../commands/ps.ts"),
  resume: () => import("../commands/resume.ts"),
  run: () => import("../commands/run.ts"),
  spec: () => import("../commands/spec.ts"),
  start: () => import("../commands/start.ts"),
  state: () => import("../commands/state.ts"),
  update: () => import("../commands/update.ts"),
  validate: () => import("../commands/validate.ts"),
  version: () => import("../commands/version.ts"),
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
  const [{ runCommand }, { command }] = await Promise.all([import("./run.ts"), importer()]);
  return (args) => runCommand(command, args);
}
