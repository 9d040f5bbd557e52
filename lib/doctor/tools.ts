/** What runts calls, and what makes it faster. */

import { frontId } from "../base/front_id.ts";
import { type Checks, works } from "./findings.ts";

export const TOOLS: Checks = {
  criu: ({ program, criu, has }) => {
    const path = criu.includes("/") ? (has(criu) ? criu : undefined) : program(criu);
    if (path !== undefined) return works(path);
    return {
      condition: "missing",
      found: criu.includes("/") ? `no ${criu}` : `no ${criu} in PATH`,
      effect: "containers cannot be checkpointed and restored",
      remedy: "install the package criu, or name it: --criu PATH",
    };
  },
  ps: ({ program }) => {
    const path = program("ps");
    if (path !== undefined) return works(path);
    return {
      condition: "missing",
      found: "no ps in PATH",
      effect: '"runts ps" will print process ids alone, with --format json',
      remedy: "install the package procps (procps-ng elsewhere)",
    };
  },
  front: () => {
    if (frontId() !== undefined) return works("in this executable");
    return {
      condition: "note",
      found: "none in this executable",
      effect: "every command starts Deno, which takes 15 ms more",
    };
  },
  "warm brain": ({ brain, text, proc }) => {
    const effect = "commands that make something start Deno, which takes 15 ms more each";
    if (brain === undefined) return { condition: "note", found: "RUNTS_BRAIN is empty", effect };
    const socket = `${brain}/socket`;
    const sockets = (text(`${proc}/net/unix`) ?? "").split("\n");
    if (sockets.some((line) => line.endsWith(` ${socket}`))) return works(`listens at ${socket}`);
    return {
      condition: "note",
      found: `nobody listens at ${socket}`,
      effect,
      remedy: 'enable runts.socket of the package, or keep "runts serve" running',
    };
  },
  "state root": ({ root, text, proc }) => {
    const type = fileSystemOf(root, text(`${proc}/mountinfo`) ?? "");
    if (type === undefined || type === "tmpfs" || type === "ramfs") return works(root);
    return {
      condition: "note",
      found: `${root} is on ${type}`,
      effect: "what is left of containers outlasts a boot, and is found stopped then",
    };
  },
};

/** The type of the file system that a path is on, by the text of proc_pid_mountinfo(5). */
function fileSystemOf(path: string, mountinfo: string): string | undefined {
  let longest = "";
  let type: string | undefined;
  for (const line of mountinfo.split("\n")) {
    const point = line.split(" ")[4];
    if (point === undefined || point.length < longest.length) continue;
    if (point !== "/" && point !== path && !path.startsWith(`${point}/`)) continue;
    longest = point;
    type = line.split(" - ")[1]?.split(" ")[0];
  }
  return type;
}
