import type { Command, Declaration } from "../cli/types.ts";

/** Where the code of each verb of LXC's is, as in load.ts. */
const VERBS: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  attach: () => import("./lxc_attach.ts"),
  autostart: () => import("./lxc_autostart.ts"),
  cgroup: () => import("./lxc_cgroup.ts"),
  check: () => import("./lxc_check.ts"),
  checkconfig: () => import("./lxc_checkconfig.ts"),
  checkpoint: () => import("./lxc_checkpoint.ts"),
  config: () => import("./lxc_config.ts"),
  console: () => import("./lxc_console.ts"),
  copy: () => import("./lxc_copy.ts"),
  create: () => import("./lxc_create.ts"),
  destroy: () => import("./lxc_destroy.ts"),
  device: () => import("./lxc_device.ts"),
  execute: () => import("./lxc_execute.ts"),
  explain: () => import("./lxc_explain.ts"),
  freeze: () => import("./lxc_freeze.ts"),
  info: () => import("./lxc_info.ts"),
  "install-links": () => import("./lxc_install_links.ts"),
  ls: () => import("./lxc_ls.ts"),
  monitor: () => import("./lxc_monitor.ts"),
  snapshot: () => import("./lxc_snapshot.ts"),
  start: () => import("./lxc_start.ts"),
  stop: () => import("./lxc_stop.ts"),
  top: () => import("./lxc_top.ts"),
  unfreeze: () => import("./lxc_unfreeze.ts"),
  unshare: () => import("./lxc_unshare.ts"),
  update: () => import("./lxc_update.ts"),
  "update-config": () => import("./lxc_update.ts"),
  usernsexec: () => import("./lxc_usernsexec.ts"),
  wait: () => import("./lxc_wait.ts"),
};

/** In alphabetical order. */
export const LXC_VERBS: readonly string[] = Object.keys(VERBS);

/** Verbs that LXC has no commands for. */
const OWN = ["check", "explain", "install-links", "update"];

/** The names that LXC has commands for. */
export const LXC_LINKED: readonly string[] = LXC_VERBS.filter((verb) => !OWN.includes(verb));

/** The command of a verb; undefined where there is no such verb. */
export async function lxcCommand(verb: string): Promise<Command | undefined> {
  const importer = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (importer === undefined) return undefined;
  const { command } = await importer();
  return { ...command, abbreviates: true, run: (context) => runCommand(command, context) };
}

/** A log is rare, and its code with it. */
async function runCommand(
  command: Command,
  context: Parameters<Command["run"]>[0],
): Promise<number | void> {
  const { logfile, logpriority, quiet } = context.options as Readonly<Record<string, unknown>>;
  const isPlain = [logfile, logpriority, quiet].every((one) => one === undefined);
  if (isPlain) return await command.run(context);
  const { runLogged } = await import("./lxc_log.ts");
  return await runLogged(command, context);
}

/** All of them, for help. */
export async function lxcDeclarations(): Promise<Declaration[]> {
  const verbs = LXC_VERBS.filter((verb) => verb !== "update-config");
  return await Promise.all(verbs.map(async (verb) => (await lxcCommand(verb))!));
}
