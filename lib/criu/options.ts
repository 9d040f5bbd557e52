/** What `checkpoint` and `restore` take of criu's options, and the request that follows of them. */

import { absolute } from "../base/absolute.ts";
import type { Caller } from "../base/caller.ts";
import type { CreateOptions } from "../caller/options.ts";
import { EEXIST } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { isDirectory } from "../base/files.ts";
import { NAMESPACE_FLAGS, O_DIRECTORY } from "../base/linux.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { Spec } from "../spec/types/config.ts";
import { CgroupMode, NetworkLock } from "./messages.ts";
import type { CriuRequest } from "./worker.ts";

/** What becomes of cgroups below the container's: made where they are missing (`soft`), left out, … */
export type ManageCgroups = "soft" | "full" | "strict" | "ignore";

/** Options of both verbs. */
export interface ImageOptions {
  /** Path of the criu executable; default `criu` of the PATH. */
  readonly criu?: string;
  /** Directory of the image; default `checkpoint` in the working directory. */
  readonly imagePath?: string;
  /** Directory of criu's log and what it needs meanwhile; default that of the image. */
  readonly workPath?: string;
  /** Takes established TCP connections along. */
  readonly tcpEstablished?: boolean;
  /** Takes unix sockets along that lead outside. */
  readonly extUnixSk?: boolean;
  /** Takes a program along whose terminal is not its container's. */
  readonly shellJob?: boolean;
  /** Takes file locks along. */
  readonly fileLocks?: boolean;
  /** Memory comes later, page by page, from where it was (userfaultfd(2)). */
  readonly lazyPages?: boolean;
  /** Removes pages of a parent image that are stored twice, or once they are restored. */
  readonly autoDedup?: boolean;
  /** What becomes of cgroups; default `soft`. */
  readonly manageCgroupsMode?: ManageCgroups;
  /** How packets of connections are kept away meanwhile; default `iptables`. */
  readonly networkLock?: "iptables" | "nftables" | "skip";
  /**
   * Namespaces whose content is left out. That of the network is in any case where hooks or `linux.netDevices` of
   * the configuration make it.
   */
  readonly emptyNs?: readonly "network"[];
}

/** What `restore` takes. */
export interface RestoreOptions extends CreateOptions, ImageOptions {
  /** Return once the program runs again. */
  readonly detach?: boolean;
  /**
   * The calling process adopts orphans while it waits, and reaps all its children; so it must have
   * no others.
   */
  readonly adoptOrphans?: boolean;
  /** Closes TCP connections that the image has. */
  readonly tcpClose?: boolean;
  /** Another security profile than that of the image: `apparmor:NAME`, `selinux:LABEL`. */
  readonly lsmProfile?: string;
  /** Another SELinux context of mounts than that of the image. */
  readonly lsmMountContext?: string;
}

/** Where an image is, and criu's log. */
interface ImagePaths {
  /** Absolute, without symlinks. */
  readonly images: string;
  readonly work: string;
  readonly logFile: string;
}

/**
 * Where an image goes, or is.
 *
 * @param verb for a checkpoint, missing directories are made
 */
export function imagePaths(
  caller: Caller,
  { imagePath = "checkpoint", workPath }: ImageOptions,
  verb: "dump" | "restore",
): ImagePaths {
  const images = directoryOf("image", absolute(caller, imagePath), verb === "dump");
  const work = workPath ? directoryOf("work", absolute(caller, workPath), true) : images;
  return { images, work, logFile: `${work}/${verb}.log` };
}

function directoryOf(what: string, path: string, make: boolean): string {
  try {
    if (make) Deno.mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if (errnoOf(cause) !== EEXIST) {
      throw new RuntsError(`make ${what} directory ${quote(path)}`, { cause });
    }
  }
  try {
    const real = Deno.realPathSync(path);
    if (isDirectory(real)) return real;
  } catch (cause) {
    throw new RuntsError(`find ${what} directory ${quote(path)}`, { cause });
  }
  throw new RuntsError(`${what} directory ${quote(path)} is not a directory`);
}

/** Directories that are open for criu, as a request names them. */
interface OpenDirectories extends Disposable {
  readonly request: CriuRequest;
}

/**
 * Opens the directories.
 *
 * @param pid of criu, which may have a mount namespace of its own: what it works in must be of that one
 */
export async function openDirectories(
  { body, helper }: LoadedRuntime,
  { images, work, logFile }: ImagePaths,
  pid: number,
): Promise<OpenDirectories> {
  const fds: number[] = [];
  const close = () => fds.splice(0).forEach((fd) => helper.close(fd));
  try {
    for (const path of [images, work]) {
      fds.push(await body.open(`/proc/${pid}/root${path}`, O_DIRECTORY));
    }
  } catch (error) {
    close();
    throw error;
  }
  const [imagesDirectory, workDirectory] = fds;
  const request = {
    imagesDirectory,
    workDirectory,
    logFile: logFile.slice(logFile.lastIndexOf("/") + 1),
    logLevel: 4,
  };
  return { request, [Symbol.dispose]: close };
}

/** The part of a request that both verbs have. */
export function commonRequest(options: ImageOptions, spec: Spec): CriuRequest {
  const { manageCgroupsMode = "soft", networkLock } = options;
  const configFile = configFileOf(spec);
  return {
    notify: true,
    orphanTerminals: true,
    manageCgroups: true,
    manageCgroupsMode: CgroupMode[manageCgroupsMode],
    ...(networkLock && { networkLock: NetworkLock[networkLock] }),
    emptyNamespaces: leavesNetworkOut(options, spec) ? NAMESPACE_FLAGS.network : 0,
    tcpEstablished: options.tcpEstablished,
    externalUnixSockets: options.extUnixSk,
    shellJob: options.shellJob,
    fileLocks: options.fileLocks,
    lazyPages: options.lazyPages,
    autoDedup: options.autoDedup,
    ...(configFile && { configFile }),
  };
}

/**
 * Whether devices, addresses and routes are left out: that is asked for, or somebody makes them again, as
 * Docker does by a hook. criu would find them there already.
 */
export function leavesNetworkOut({ emptyNs = [] }: ImageOptions, { hooks, linux }: Spec): boolean {
  const hooked = (hooks?.prestart?.length ?? 0) + (hooks?.createRuntime?.length ?? 0) > 0;
  return emptyNs.includes("network") || hooked || linux?.netDevices !== undefined;
}

/** Names criu's configuration file for a container; an empty one: none. */
const CONFIG_FILE = "org.criu.config";
/** As runc has it; criu does without when there is none. */
const USUAL_CONFIG_FILE = "/etc/criu/runc.conf";

function configFileOf({ annotations = {} }: Spec): string {
  return annotations[CONFIG_FILE] ?? USUAL_CONFIG_FILE;
}
