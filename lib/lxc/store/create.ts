/** `lxc create`: a configuration, and a template that fills a root filesystem. */

import { absolute } from "../../base/absolute.ts";
import { ENOENT } from "../../base/errno.ts";
import { errnoOf, quote, reason, RuntsError } from "../../base/errors.ts";
import { isDirectory } from "../../base/files.ts";
import { Undo } from "../../base/undo.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import type { LxcConfig } from "../config/config.ts";
import { editText, without } from "../config/edit.ts";
import { findingText } from "../config/place.ts";
import { hostFiles, readConfig } from "../config/read.ts";
import { refuse } from "../container.ts";
import { checkName, lxcPath } from "../place.ts";
import { systemValue } from "../system_conf.ts";
import { claimDirectory } from "./claim.ts";
import { lockDefinition } from "./lock.ts";
import { findTemplate, runTemplate, templateHeader } from "./template.ts";
import { StoredFiles } from "./files.ts";
import { usersOf } from "./users.ts";

/** What is made. */
interface CreateOptions {
  readonly name: string;
  readonly lxcpath?: string | undefined;
  /** Name or absolute path of a template; `none`: there is to be a configuration and nothing else. */
  readonly template: string;
  /** Of the template's own. */
  readonly args?: readonly string[];
  /** The configuration to begin with; default the one that /etc/lxc/lxc.conf names. */
  readonly config?: string | undefined;
  /** Where the root filesystem is to be; default in the container's directory. */
  readonly rootfs?: string | undefined;
  /** When it is aborted, nothing is left. */
  readonly signal?: AbortSignal | undefined;
}

/** Of a configuration: it may have secrets, as LXC sees it. */
const CONFIG_MODE = 0o640;

/** Makes a container. When it cannot be made, nothing of it is left. */
export function createContainer(given: RuntimeOrSettings, options: CreateOptions): Promise<void> {
  return inCommand(given, "create", options.name, async (unloaded) => {
    const name = checkName(options.name);
    const template = options.template === "none" ? undefined : findTemplate(options.template);
    const { text, config } = await beginning(unloaded, options.config);
    const runtime = await load(unloaded);
    const lxcpath = lxcPath(runtime, options.lxcpath);
    makeParents(lxcpath);
    const directory = `${lxcpath}/${name}`;
    using claim = await claimDirectory(runtime, directory);
    const undo = new Undo();
    const files = new StoredFiles(runtime, config);
    undo.add(() => files.do({ kind: "remove", path: directory }));
    try {
      using _lock = await lockDefinition(runtime, lxcpath, name);
      if (template === undefined) writeConfig(directory, text);
      else {
        const making = { runtime, options, directory, text, config, files, undo };
        await fill(making, template);
      }
      await claim.done();
    } catch (error) {
      await undo.run((also) => runtime.warn(`clean up ${quote(directory)}: ${reason(also)}`));
      throw error;
    }
  }, options.signal);
}

/** The lines that a container begins with. */
async function beginning(
  { caller, files }: Runtime,
  given: string | undefined,
): Promise<{ readonly text: string; readonly config: LxcConfig }> {
  const file = absolute(caller, given ?? systemValue(caller, "lxc.default_config")!);
  let text = "";
  try {
    text = await files.read(file);
  } catch (cause) {
    // Nobody has to have one.
    const isUsual = given === undefined && errnoOf(cause) === ENOENT;
    if (!isUsual) throw new RuntsError(`read ${quote(file)}`, { cause });
  }
  const read = (path: string) => path === file ? text : files.read(path);
  const { config, findings } = await readConfig({ file }, hostFiles(read));
  refuse(findings);
  return { text: text === "" || text.endsWith("\n") ? text : `${text}\n`, config };
}

function makeParents(lxcpath: string): void {
  try {
    Deno.mkdirSync(lxcpath, { recursive: true });
  } catch (cause) {
    throw new RuntsError(`make ${quote(lxcpath)}`, { cause });
  }
}

/** Writes the configuration of a container that is being made. */
export function writeConfig(directory: string, text: string): void {
  const file = `${directory}/config`;
  try {
    Deno.writeTextFileSync(file, text);
    Deno.chmodSync(file, CONFIG_MODE);
  } catch (cause) {
    throw new RuntsError(`write ${quote(file)}`, { cause });
  }
}

interface Making {
  readonly runtime: LoadedRuntime;
  readonly options: CreateOptions;
  readonly directory: string;
  readonly text: string;
  readonly config: LxcConfig;
  readonly files: StoredFiles;
  readonly undo: Undo;
}

async function fill(making: Making, program: string): Promise<void> {
  const { runtime, options: { name, args = [], signal }, directory, text, config, files } = making;
  const users = usersOf(config, runtime.caller);
  const rootfs = await makeRootfs(making);
  const line = `lxc.rootfs.path = dir:${rootfs}`;
  writeConfig(directory, editText(text, without("lxc.rootfs.path"), [line]));
  await files.giveToRoot(directory);
  await runTemplate(runtime, { program, directory, name, rootfs, args, users }, signal);
  const file = `${directory}/config`;
  await files.takeBack(file);
  writeConfig(directory, templateHeader(program, args) + await runtime.files.read(file));
  const { findings } = await readConfig({ file }, hostFiles(runtime.files.read));
  for (const finding of findings.slice(0, 1)) {
    runtime.warn(`the template has written what cannot be started: ${findingText(finding)}`);
  }
}

/** A directory for the root filesystem; one that is there already is filled, and stays. */
async function makeRootfs(
  { runtime, options, directory, config, files, undo }: Making,
): Promise<string> {
  const path = options.rootfs === undefined
    ? givenRootfs(config) ?? `${directory}/rootfs`
    : absolute(runtime.caller, options.rootfs);
  if (isDirectory(path)) return path;
  try {
    Deno.mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new RuntsError(`make ${quote(path)}`, { cause });
  }
  if (path !== `${directory}/rootfs`) {
    undo.add(() => files.do({ kind: "remove", path }));
  }
  Deno.chmodSync(path, 0o755);
  await files.giveToRoot(path);
  return path;
}

/** A directory that the configuration names and that is there. */
function givenRootfs(config: LxcConfig): string | undefined {
  const { driver, parts } = config.get("lxc.rootfs.path")?.value ?? {};
  if (driver === undefined) return undefined;
  if (driver === "dir") return isDirectory(parts![0]!) ? parts![0]! : undefined;
  throw new RuntsError(`a root filesystem of the kind ${driver} cannot be made`, {
    hint: "make it, and use the template none",
  });
}
