/** Where the files of shims and of their brain are. */

import type { Caller } from "../base/caller.ts";
import { normalize } from "../base/paths.ts";

/** Where containerd's sockets for shims are; `ctr shim` looks there. */
const SOCKETS = "/run/containerd/s";
/** State roots of containers of containerd, unless options say: one for each namespace below. */
export const STATE_ROOT = "/run/containerd/runts";

/** What a socket is for: the containers of a pod, or a single one. */
interface GroupName {
  /** Of containerd's own socket. */
  readonly address: string;
  readonly namespace: string;
  /** An id that all containers of a pod name. */
  readonly group: string;
}

/** Where a brain finds those that it works for. */
export interface BrainPlace {
  /** Of the brain. */
  readonly directory: string;
  /** A descriptor with which the lock there is ours. */
  readonly lock: number;
  /** The socket there, which monitors and fronts send their greetings to. */
  readonly socket: number;
}

/** The directory of the brain: its socket, its lock, and what it has written down. */
export function brainDirectory(caller: Caller): string {
  return caller.variable("RUNTS_BRAIN") ?? "/run/runts/.brain";
}

/** The group's name in file systems, as containerd computes it for the socket. */
export async function groupDigest({ address, namespace, group }: GroupName): Promise<string> {
  const clean = normalize(`${address}/${namespace}/${group}`);
  const joined = address.startsWith("/") ? clean : clean.slice(1);
  const bytes = new TextEncoder().encode(joined);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The socket that containerd connects to. */
export function groupSocket(digest: string, directory = SOCKETS): string {
  return `${directory}/${digest}`;
}

/** What is written down of a group. */
export function groupDirectory(brain: string, digest: string): string {
  return `${brain}/shims/${digest}`;
}

/** By the bundle's side, until the task is deleted: the front's `delete` need do nothing without it. */
export function taskMark(bundle: string): string {
  return `${bundle}/runts-task`;
}
