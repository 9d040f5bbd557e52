/** Which room may import from which. docs/architecture.md shows the table; the two are compared. */

import { join } from "@std/path";
import { ROOT } from "../support/paths.ts";
import { importsOf, type Source } from "./source.ts";

/** The page that is read first stays one that is read. */
const PAGE = "docs/architecture.md";
const PAGE_LINES = 130;

/**
 * The folders of the product, the lowest first, and from which others each imports. A room may use
 * those above its line only, so there are no circles. An entry that nothing uses is an error, too.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "lib/base": [],
  "lib/wire": ["lib/base"],
  "ffi": ["lib/base", "lib/wire"],
  "lib/spec": ["lib/base"],
  "lib/body": ["lib/base", "lib/wire", "ffi"],
  "lib/runtime": ["lib/base", "ffi", "lib/body"],
  "lib/cgroup": ["lib/base", "ffi", "lib/spec", "lib/runtime"],
  "lib/plan": ["lib/base", "lib/wire", "lib/spec", "lib/cgroup"],
  "lib/seccomp": ["lib/base", "ffi", "lib/spec", "lib/runtime", "lib/plan"],
  "lib/state": ["lib/base", "ffi", "lib/spec", "lib/runtime", "lib/cgroup"],
  "lib/hooks": ["lib/base", "ffi", "lib/spec", "lib/body", "lib/runtime"],
  "lib/net": ["lib/base", "ffi", "lib/spec", "lib/runtime"],
  "lib/userns": ["lib/base", "lib/wire", "lib/spec", "lib/body", "lib/runtime", "lib/plan"],
  "lib/host": ["lib/base", "ffi", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup", "lib/plan"],
  "lib/doctor": ["lib/base", "ffi", "lib/runtime", "lib/cgroup", "lib/userns"],
  "lib/caller": [
    ...["lib/base", "ffi", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup", "lib/state"],
    ...["lib/userns", "lib/host"],
  ],
  "lib/init": [
    ...["lib/base", "lib/wire", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup", "lib/plan"],
    ...["lib/state", "lib/hooks", "lib/userns"],
  ],
  "lib/monitor": [
    ...["lib/base", "lib/wire", "ffi", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup"],
    "lib/state",
  ],
  "lib/criu": [
    ...["lib/base", "lib/wire", "ffi", "lib/spec", "lib/runtime", "lib/cgroup", "lib/plan"],
    ...["lib/host", "lib/caller", "lib/init"],
  ],
  "lib/container": [
    ...["lib/base", "lib/wire", "ffi", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup"],
    ...["lib/plan", "lib/seccomp", "lib/state", "lib/hooks", "lib/net", "lib/userns", "lib/host"],
    ...["lib/caller", "lib/init", "lib/monitor", "lib/criu"],
  ],
  "lib/supervise": [
    ...["lib/base", "lib/wire", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup", "lib/state"],
    ...["lib/caller", "lib/monitor", "lib/criu", "lib/container"],
  ],
  "lib/shim": [
    ...["lib/base", "lib/wire", "ffi", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup"],
    ...["lib/state", "lib/caller", "lib/monitor", "lib/container"],
  ],
  "lib/lxc": [
    ...["lib/base", "ffi", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup", "lib/plan"],
    ...["lib/state", "lib/net", "lib/userns", "lib/caller", "lib/monitor", "lib/container"],
    "lib/supervise",
  ],
  "lib/script": [
    ...["lib/base", "ffi", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup", "lib/state"],
    ...[
      "lib/net",
      "lib/caller",
      "lib/init",
      "lib/monitor",
      "lib/criu",
      "lib/container",
      "lib/supervise",
    ],
    "lib/lxc",
  ],
  "lib/cli": [
    ...["lib/base", "ffi", "lib/spec", "lib/runtime", "lib/cgroup", "lib/doctor"],
    ...["lib/container", "lib/supervise"],
  ],
  "lib/serve": ["lib/base", "lib/wire", "ffi", "lib/body", "lib/runtime", "lib/cli"],
  "lib/commands": [
    ...["lib/base", "lib/spec", "lib/runtime", "lib/doctor", "lib/container", "lib/supervise"],
    ...["lib/shim", "lib/lxc", "lib/cli", "lib/serve"],
  ],
  "main.ts": ["lib/cli", "lib/commands"],
  "mod.ts": [
    ...["lib/base", "lib/spec", "lib/body", "lib/runtime", "lib/cgroup", "lib/state"],
    ...["lib/doctor", "lib/net", "lib/caller", "lib/monitor", "lib/criu", "lib/container"],
    ...["lib/supervise", "lib/lxc", "lib/script"],
  ],
};

/** The entries of the library. */
const ENTRIES = ["mod.ts", "verbs.ts", "explain.ts", "oci.ts"];

/** The room of a file; undefined for what is no part of the product. */
function roomOf(path: string): string | undefined {
  if (ENTRIES.includes(path)) return "mod.ts";
  const room = /^(lib\/[^/]+(?=\/)|ffi(?=\/)|main\.ts$)/.exec(path)?.[1];
  return room ?? (path.startsWith("lib/") ? "lib" : undefined);
}

/** The table as docs/architecture.md has it. */
function roomTable(): string {
  const name = (room: string) => room.replace(/^lib\//, "");
  const width = Math.max(...Object.keys(ROOMS).map((room) => name(room).length)) + 2;
  return Object.entries(ROOMS)
    .map(([room, allowed]) => `${name(room).padEnd(width)}${allowed.map(name).join(" ")}`.trimEnd())
    .join("\n");
}

/** Imports that the table does not have, and entries of the table that nothing uses. */
export function checkRooms(
  sources: readonly Source[],
  rooms: Readonly<Record<string, readonly string[]>> = ROOMS,
): string[] {
  const found: string[] = [];
  const used = new Set<string>();
  for (const source of sources) {
    const from = roomOf(source.path);
    if (from === undefined) continue;
    for (const { target } of importsOf(source)) {
      const to = roomOf(target);
      if (to === undefined || to === from) continue;
      used.add(`${from} ${to}`);
      if (rooms[from]?.includes(to)) continue;
      const allowed = rooms[from]?.join(", ");
      const rule = allowed ? `may import from ${allowed} only` : "may import from no other room";
      found.push(`${source.path}: imports ${target}, but ${from} ${rule}`);
    }
  }
  for (const [from, allowed] of Object.entries(rooms)) {
    for (const to of allowed) {
      if (!used.has(`${from} ${to}`)) {
        found.push(`tools/check/rooms.ts: ${from} may import from ${to}, and does not`);
      }
    }
  }
  return found;
}

/** The order of the table, the page that shows it, and its length. */
export function checkPage(): string[] {
  const names = Object.keys(ROOMS);
  const upward = Object.entries(ROOMS).flatMap(([room, allowed]) =>
    allowed.filter((other) => names.indexOf(other) >= names.indexOf(room))
      .map((other) => `tools/check/rooms.ts: ${room} is not below ${other}`)
  );
  const text = Deno.readTextFileSync(join(ROOT, PAGE));
  const lines = text.trimEnd().split("\n").length;
  return [
    ...upward,
    ...lines > PAGE_LINES ? [`${PAGE}: ${lines} lines, at most ${PAGE_LINES}`] : [],
    ...text.includes(`\n\`\`\`\n${roomTable()}\n\`\`\`\n`)
      ? []
      : [`${PAGE}: does not show the table of tools/check/rooms.ts:\n${roomTable()}`],
  ];
}
