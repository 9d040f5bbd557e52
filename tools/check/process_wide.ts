/**
 * Below the command line nothing asks the process what it is, and no module remembers anything: what a verb
 * depends on comes with its runtime, of which there may be several.
 */

import { codeOf, type Source } from "./source.ts";

/** Where the rule holds. */
const PLACE = /^(ffi|lib\/(?!cli\/|commands\/)[^/]+)\//;

/** What a process has one of. */
const READ =
  /\bDeno\.(cwd|chdir|env|pid|ppid|uid|gid|umask|args|exit|exitCode|execPath|mainModule|stdin|stdout|stderr|consoleSize|Command|addSignalListener|removeSignalListener|kill|hostname)\b|\/proc\/self\b/g;

/** A variable of a module, or a collection that is empty at first. */
const KEPT =
  /^(?:export )?(?:let (\w+)|const (\w+) = new (?:Map|Set|WeakMap|WeakSet)(?:<[^;]*>)?\(\))/gm;

/** What a file may have nevertheless, and why. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "lib/runtime/process_caller.ts": {
    "/proc/self": "the process as the caller: what all others ask it",
    "Deno.pid": "as above",
    "Deno.uid": "as above",
    "Deno.gid": "as above",
    "Deno.cwd": "as above",
  },
  "lib/base/bytes.ts": {
    decoder: "it keeps nothing of a text",
    encoder: "as above",
  },
  "lib/base/files.ts": { read: "the quickest way that the process has" },
  "lib/cgroup/files.ts": { "Deno.umask": "what the kernel takes away from a mode" },
  "lib/base/own_command.ts": { "Deno.execPath": "what a monitor runs later is what runs now" },
  "lib/body/local.ts": { "Deno.Command": "the process as the body starts the caller's tools" },
  "lib/body/foreground.ts": {
    "Deno.addSignalListener": "the process as the body gets the caller's signals",
    "Deno.removeSignalListener": "as above",
  },
  "lib/plan/devices.ts": { "/proc/self": "targets of links in the container's /dev" },
  "lib/plan/process.ts": { "/proc/self": "a file that init writes of itself" },
  "lib/plan/namespaces.ts": { "/proc/self": "a file that init writes of itself" },
  "lib/serve/serve.ts": {
    "Deno.umask": "of all that the brain makes",
  },
  "lib/base/delay.ts": { short: "the event loop is the process'" },
  "lib/base/turn.ts": {
    turns: "the event loop is the process'",
    awaited: "the event loop is the process'",
  },
  "ffi/own_descriptor.ts": { "/proc/self": "descriptors are the process'" },
  "ffi/seccomp.ts": {
    "/proc/self": "where a library is mapped in the process",
    loaded: "it is loaded once",
  },
  "ffi/systemd.ts": { library: "a library is loaded once" },
  "lib/spec/values/mount_options.ts": { known: "what follows from a list, and from nothing else" },
  "ffi/built.ts": {
    "Deno.env": "the process says where the library is that it loads once",
    "Deno.Command": "an installed executable gives that library",
  },
  "ffi/library.ts": {
    find: "a library is loaded once",
    compiles: "as above",
    compiledFrom: "as above",
    bound: "its functions, each of which is looked up once",
  },
  "ffi/peer.ts": { room: "what a call fills, and is read at once" },
  "ffi/helper.ts": { loading: "a library is loaded once", helpers: "as above" },
  "ffi/call.ts": { inUse: "buffers that another thread has" },
};

/** Places that break the rule, and exceptions that nothing needs. */
export function checkProcessWide(
  sources: readonly Source[],
  allowed: Readonly<Record<string, Readonly<Record<string, string>>>> = ALLOWED,
): string[] {
  const found: string[] = [];
  const used = new Set<string>();
  for (const source of sources.filter(({ path }) => PLACE.test(path) && path.endsWith(".ts"))) {
    const code = codeOf(source);
    const reads = [...code.matchAll(READ)].map(([text]) => ({ text, fault: `asks ${text}` }));
    const kept = [...code.matchAll(KEPT)].map(([, first, second]) => {
      const text = first ?? second!;
      return { text, fault: `keeps ${text} for the whole process` };
    });
    for (const { text, fault } of [...reads, ...kept]) {
      used.add(`${source.path} ${text}`);
      if (allowed[source.path]?.[text] !== undefined) continue;
      found.push(`${source.path}: ${fault}: that is its runtime's to tell`);
    }
  }
  for (const [path, texts] of Object.entries(allowed)) {
    for (const text of Object.keys(texts)) {
      if (!used.has(`${path} ${text}`)) {
        found.push(`tools/check/process_wide.ts: ${path} may use ${text}, and does not`);
      }
    }
  }
  return found;
}
