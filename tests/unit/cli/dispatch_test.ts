import { assert, assertEquals } from "@std/assert";
import { dispatch, findVerb, wordsOf } from "../../../lib/cli/dispatch.ts";
import { load, verbs } from "../../../lib/commands/load.ts";
import { lxcDeclarations } from "../../../lib/commands/lxc_verbs.ts";

Deno.test("findVerb skips global options and their values", () => {
  const lines: Record<string, string> = {
    "state web": "state",
    "--root /x state web": "state",
    "--root=/x state web": "state",
    "-root /x state web": "state",
    "-root=/x state web": "state",
    "--debug --log /l --log-format json create -b /b web": "create",
    "--log-level debug --criu /c --cgroup-manager systemd run web": "run",
    "--rootless=true start web": "start",
    "--rootless true start web": "start",
    "--systemd-cgroup kill web KILL": "kill",
    "--root state list": "list",
    "- exec web sh": "-",
  };
  for (const [line, verb] of Object.entries(lines)) {
    assertEquals(findVerb(line.split(" ")), verb, line);
  }
});

Deno.test("findVerb gives help and version where no verb is", () => {
  for (const line of [[], ["--help"], ["-h"], ["-?"], ["--debug", "--help"], ["--root"]]) {
    assertEquals(findVerb(line), "help", line.join(" "));
  }
  for (const line of [["--version"], ["-v"], ["-V"], ["--root", "/x", "--version"]]) {
    assertEquals(findVerb(line), "version", line.join(" "));
  }
});

Deno.test("findVerb leaves what follows the verb to the command", () => {
  assertEquals(findVerb(["exec", "web", "ls", "--help"]), "exec");
  assertEquals(findVerb(["create", "--version"]), "create");
});

Deno.test("dispatch hands over the whole command line and passes on the exit code", async () => {
  const seen: string[][] = [];
  const run = (args: string[]) => Promise.resolve(seen.push(args) && 7);
  const code = await dispatch(["--root", "/x", "state", "web"], (verb) => {
    assertEquals(verb, "state");
    return Promise.resolve(run);
  });
  assertEquals(code, 7);
  assertEquals(seen, [["--root", "/x", "state", "web"]]);
});

Deno.test("dispatch leaves an unknown verb to help", async () => {
  const asked: string[] = [];
  const code = await dispatch(["strat", "web"], (verb) => {
    asked.push(verb);
    return verb === "help" ? Promise.resolve(() => Promise.resolve(2)) : undefined;
  });
  assertEquals(code, 2);
  assertEquals(asked, ["strat", "help"]);
});

Deno.test("load knows every file of lib/commands that states a command, and no other verb", async () => {
  const folder = new URL("../../../lib/commands/", import.meta.url);
  const stated: string[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    const text = Deno.readTextFileSync(new URL(entry.name, folder));
    if (text.includes("export const command ")) stated.push(entry.name.replace(/\.ts$/, ""));
  }
  const isBelow = (name: string) => name.startsWith("lxc_");
  assertEquals(verbs(true), stated.filter((name) => !isBelow(name)).sort());
  const below = (await lxcDeclarations()).map(({ name }) => name.replace(/[ -]/g, "_"));
  assertEquals(below.sort(), stated.filter(isBelow).sort());
  for (const verb of verbs(true)) assertEquals(typeof await load(verb), "function", verb);
  assert(load("no-such-verb") === undefined);
  assert(load("constructor") === undefined);
});

Deno.test("dispatch takes a link's name for a verb of lxc", async () => {
  const seen: string[][] = [];
  const load = (verb: string) =>
    Promise.resolve((args: string[]) => {
      seen.push([verb, ...args]);
      return Promise.resolve(0);
    });
  for (const name of ["/usr/bin/lxc-update-config", "lxc-ls", "runts", "/x/lxc-/runts", ""]) {
    await dispatch(["list"], load, name);
  }
  assertEquals(seen, [
    ["lxc", "lxc", "update-config", "list"],
    ["lxc", "lxc", "ls", "list"],
    ...Array.from({ length: 3 }, () => ["list", "list"]),
  ]);
});

Deno.test("wordsOf puts what a link of LXC's stands for in front", () => {
  assertEquals(wordsOf(["-n", "web"], "/usr/local/bin/lxc-start"), ["lxc", "start", "-n", "web"]);
  assertEquals(wordsOf(["lxc", "start"], "/usr/bin/runts"), ["lxc", "start"]);
  assertEquals(wordsOf([], "lxc-"), []);
});
