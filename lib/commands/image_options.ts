/** What `checkpoint` and `restore` have in common. */

import type { Options, OptionValues } from "../cli/types.ts";

export const IMAGE_OPTIONS = {
  imagePath: {
    value: "DIR",
    description: "directory of the image (default: checkpoint in the working directory)",
    complete: "directory",
  },
  workPath: {
    value: "DIR",
    description: "directory of criu's log (default: that of the image)",
    complete: "directory",
  },
  tcpEstablished: { description: "allow established TCP connections" },
  extUnixSk: { description: "allow unix sockets that lead outside" },
  shellJob: { description: "allow a terminal that is not the container's" },
  fileLocks: { description: "allow file locks" },
  lazyPages: { description: "move the memory later, page by page" },
  autoDedup: { description: "free what is stored twice, or restored" },
  manageCgroupsMode: {
    value: "MODE",
    choices: ["soft", "full", "strict", "ignore"],
    description: "cgroups below the container's: soft (default), full, strict or ignore",
  },
  networkLock: {
    value: "METHOD",
    choices: ["iptables", "nftables", "skip"],
    description: "how packets are kept away meanwhile: iptables (default), nftables or skip",
  },
  emptyNs: {
    value: "NAMESPACE",
    choices: ["network"],
    repeat: true,
    description: "leave the content of this namespace out: network",
  },
} as const satisfies Options;

/** As the verbs take them. */
export function imageOptions<T extends OptionValues<typeof IMAGE_OPTIONS>>(
  { emptyNs, ...options }: T,
  criu: string | undefined,
): Omit<T, "emptyNs"> & { readonly criu?: string; readonly emptyNs?: "network"[] } {
  return {
    ...options,
    ...(criu !== undefined && { criu }),
    ...(emptyNs && { emptyNs: emptyNs as "network"[] }),
  };
}
