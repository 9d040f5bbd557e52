/**
 * The commands and options of runc and crun: those that are installed are asked for their help, and what
 * newer releases have besides stands here. docs/compatibility.md tells of what runts does otherwise.
 */

import { assert, assertEquals } from "@std/assert";
import { GLOBAL_OPTIONS } from "../../../lib/cli/globals.ts";
import { type Declaration, longName, type Options } from "../../../lib/cli/types.ts";
import { ALL } from "../../../lib/commands/all.ts";
import { command, RUNTS_ONLY } from "../../support/runtime.ts";

/** An option as a peer's help has it: its name, and whether it takes a value. */
interface PeerOption {
  readonly name: string;
  readonly hasValue: boolean;
}

/**
 * What newer releases have, until runc 1.6 and crun 1.31, as their sources and notes tell, and those of Debian 12 do
 * not; `=`: with a value.
 */
const NEWER: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  runc: {
    create: ["pidfd-socket="],
    run: ["pidfd-socket="],
    exec: ["pidfd-socket="],
    update: ["cpu-burst=", "cpu-idle="],
    checkpoint: ["tcp-skip-in-flight", "link-remap"],
    restore: ["tcp-close"],
  },
  crun: {
    "": ["log-level="],
    run: ["keep"],
    create: ["pidfd-socket="],
    mounts: [],
    features: [],
    update: ["cpu-burst=", "cpu-idle=", "l3-cache-schema=", "mem-bw-schema="],
    checkpoint: [
      ...["image-path=", "work-path=", "parent-path=", "manage-cgroups-mode=", "network-lock="],
      ...["leave-running", "tcp-established", "ext-unix-sk", "shell-job", "pre-dump", "file-locks"],
    ],
    restore: [
      ...["bundle=", "image-path=", "work-path=", "pid-file=", "console-socket=", "lsm-profile="],
      ...["lsm-mount-context=", "manage-cgroups-mode=", "network-lock=", "detach", "file-locks"],
      ...["tcp-established", "tcp-close", "ext-unix-sk", "shell-job"],
    ],
  },
};

/** A command of the table; the empty name stands for the global options. */
function optionsOf(verb: string): Options | undefined {
  if (verb === "") return GLOBAL_OPTIONS;
  const found: Declaration | undefined = ALL.find(({ name }) => name === verb);
  return found && { ...GLOBAL_OPTIONS, ...found.options };
}

/** What a peer has and runts does not, or has with a value where the other has none. */
function missing(verb: string, wanted: readonly PeerOption[]): string[] {
  const options = optionsOf(verb);
  if (options === undefined) return [`command ${verb}`];
  const own = new Map(Object.entries(options).map(([key, option]) => [longName(key), option]));
  return wanted.flatMap(({ name, hasValue }) => {
    const option = own.get(name);
    if (option === undefined) return [`${verb} --${name} is missing`];
    if (option.alone !== undefined || hasValue === (option.value !== undefined)) return [];
    return [`${verb} --${name} ${hasValue ? "takes no value" : "takes a value"}`];
  });
}

/** The options of a help text: `--name=VALUE`, of Go's library `--name value`; a flag may have one: `--name[=VALUE]`. */
function parseHelp(text: string): PeerOption[] {
  return text.split("\n").flatMap((line) => {
    const match = /^ {2,}(?:-\S+,? )*--([a-z][a-z0-9-]*)(=\S+| value)?/.exec(line);
    return match ? [{ name: match[1]!, hasValue: match[2] !== undefined }] : [];
  });
}

function parseVerbs(text: string): string[] {
  const list = /COMMANDS:\n([^]*?)\n(?:\n|GLOBAL)/.exec(text)?.[1] ?? "";
  return list.split("\n").map((line) => line.trim().split(/[ ,]/)[0]!).filter(Boolean);
}

async function help(peer: string, ...verb: string[]): Promise<string> {
  const { code, stdout } = await command([peer, ...verb, "--help"]);
  assertEquals(code, 0, `${peer} ${verb.join(" ")} --help`);
  return stdout;
}

for (const peer of ["runc", "crun"]) {
  Deno.test(`runts takes every command and option of ${peer}`, RUNTS_ONLY, async () => {
    const overview = await help(peer);
    const verbs = parseVerbs(overview);
    assert(verbs.length > 10, overview);
    const found = missing("", parseHelp(overview));
    for (const verb of verbs) found.push(...missing(verb, parseHelp(await help(peer, verb))));
    assertEquals(found, []);
  });

  Deno.test(`runts takes what newer releases of ${peer} have`, RUNTS_ONLY, () => {
    const found = Object.entries(NEWER[peer]!).flatMap(([verb, words]) =>
      missing(
        verb,
        words.map((word) => ({ name: word.replace("=", ""), hasValue: /=$/.test(word) })),
      )
    );
    assertEquals(found, []);
  });
}

Deno.test("help of both kinds is read", () => {
  assertEquals(parseHelp("  -b, --bundle=DIR   x\n  -t, --tty[=TTY]   y\n  -?, --help   z"), [
    { name: "bundle", hasValue: true },
    { name: "tty", hasValue: false },
    { name: "help", hasValue: false },
  ]);
  assertEquals(parseHelp("   --bundle value, -b value  x\n   --detach, -d   y"), [
    { name: "bundle", hasValue: true },
    { name: "detach", hasValue: false },
  ]);
});
