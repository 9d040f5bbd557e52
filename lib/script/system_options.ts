/** What the methods of {@linkcode System} take. */

import type { Privilege } from "../lxc/life/attach.ts";
import type { Shared } from "../lxc/life/shared.ts";
import type { NamespaceType } from "../spec/types/config.ts";
import type { ContainerSettings } from "./options.ts";
import type { StreamOptions } from "./stdio.ts";

/** Which container a {@linkcode System} is, and what it is worked on with. */
export type SystemOptions = ContainerSettings & {
  /** Directory of the containers. Default: that of /etc/lxc/lxc.conf, else /var/lib/lxc. */
  readonly lxcpath?: string;
  /** Path of the configuration. Default: the file `config` of the container's directory. */
  readonly rcfile?: string;
  /** Settings that come after those of the file, `KEY=VALUE` each. */
  readonly define?: readonly string[];
};

/** What a start can be told. */
export interface SystemStartOptions {
  /** argv of init, instead of that of the configuration. */
  readonly command?: readonly string[];
  /** Settings that come last, `KEY=VALUE` each. */
  readonly define?: readonly string[];
  /** Namespaces that it has with another container, by its name, or with a process, by its pid. */
  readonly shared?: readonly Shared[];
}

/** What a program that is attached has of the script, and what of the container. */
export interface SystemAttachOptions extends StreamOptions {
  /** Its terminal is the stream `terminal`. Default: false. */
  readonly terminal?: boolean;
  /** Nothing of the environment of the script. */
  readonly clearEnv?: boolean;
  /** Variables of the script that it gets nevertheless, by their names. */
  readonly keep?: readonly string[];
  /** Variables that are added. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its user in the container. Default: 0. */
  readonly uid?: number;
  /** Its group in the container. Default: 0. */
  readonly gid?: number;
  /** The namespaces that it enters; the others are the script's. Default: all. */
  readonly namespaces?: readonly NamespaceType[];
  /** What it has of the script instead of the container. */
  readonly elevated?: readonly Privilege[];
}

/** What a container is made of. */
export type SystemCreateOptions = Omit<SystemOptions, "define" | "rcfile"> & {
  /** Name or absolute path of a template; `none`: there is to be a configuration and nothing else. */
  readonly template: string;
  /** Arguments of the template. */
  readonly args?: readonly string[];
  /** Path of the configuration to begin with. Default: the one that /etc/lxc/lxc.conf names. */
  readonly config?: string;
  /** Directory of the root filesystem. Default: `rootfs` in the container's directory. */
  readonly rootfs?: string;
  /** Ends it early; nothing is left then. */
  readonly signal?: AbortSignal;
};

/** How a container is copied. */
export interface SystemCloneOptions {
  /** Directory of containers for the copy. Default: the same. */
  readonly lxcpath?: string;
  /** An overlay on the root filesystem of the container, which has to stay then. Default: false. */
  readonly snapshot?: boolean;
  /** The copy has the host name of the container. Default: false. */
  readonly keepName?: boolean;
  /** Its network devices have the addresses of the container. Default: false. */
  readonly keepAddresses?: boolean;
  /** The container may run, if the copy is an overlay. Default: false. */
  readonly allowRunning?: boolean;
  /** Further arguments of the clone hooks. */
  readonly hookArgs?: readonly string[];
  /** Ends it early; nothing is left then. */
  readonly signal?: AbortSignal;
}

/** How long is waited for a state. */
export interface SystemWaitOptions {
  /** Milliseconds. Default: for ever. */
  readonly timeout?: number;
}
