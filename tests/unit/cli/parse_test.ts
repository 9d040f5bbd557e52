import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { findVerb } from "../../../lib/cli/dispatch.ts";
import { GLOBAL_OPTIONS } from "../../../lib/cli/globals.ts";
import { parse } from "../../../lib/cli/parse.ts";
import { defineCommand, longName } from "../../../lib/cli/types.ts";
import { command as create } from "../../../lib/commands/create.ts";
import { command as exec } from "../../../lib/commands/exec.ts";
import { command as kill } from "../../../lib/commands/kill.ts";
import { command as list } from "../../../lib/commands/list.ts";
import { command as spec } from "../../../lib/commands/spec.ts";

const ps = defineCommand({
  name: "ps",
  group: "live",
  summary: "x",
  arguments: {
    id: { value: "CONTAINER", description: "x" },
    words: { value: "WORD", description: "x", rest: "words", optional: true },
  },
  options: { format: { short: "f", value: "FORMAT", description: "x" } },
  run: () => Promise.resolve(),
});

function parsed(command: Parameters<typeof parse>[0], text: string) {
  const { globals, options, args, problem } = parse(command, text.split(" "));
  assertEquals(problem?.message, undefined);
  return { globals, options, args };
}

function problem(command: Parameters<typeof parse>[0], text: string): string | undefined {
  return parse(command, text.split(" ").filter((word) => word !== "")).problem?.message;
}

Deno.test("parse() takes the calls of clients as they are", async (t) => {
  const cases = [
    {
      line:
        "--log-format=json --log /run/log create --bundle /b --pid-file /p --preserve-fds 2 web",
      command: create,
      globals: { logFormat: "json", log: "/run/log" },
      options: { bundle: "/b", pidFile: "/p", preserveFds: 2 },
      args: { id: "web" },
    },
    {
      line: "--root /r --log l --log-format json create --bundle /b -no-subreaper -no-pivot web",
      command: create,
      globals: { root: "/r", log: "l", logFormat: "json" },
      options: { bundle: "/b", noSubreaper: true, noPivot: true },
      args: { id: "web" },
    },
    {
      line: "--debug --cgroup-manager disabled create web -b /b",
      command: create,
      globals: { debug: true, cgroupManager: "disabled" },
      options: { bundle: "/b" },
      args: { id: "web" },
    },
    {
      line: "kill --all web 9",
      command: kill,
      globals: {},
      options: { all: true },
      args: { id: "web", signal: "9" },
    },
    {
      line: "exec --process /p --detach --tty --console-socket /s web",
      command: exec,
      globals: {},
      options: { process: "/p", detach: true, tty: true, consoleSocket: "/s" },
      args: { id: "web", args: [] },
    },
  ];
  for (const { line, command, ...expected } of cases) {
    await t.step(line, () => assertEquals<unknown>(parsed(command, line), expected));
  }
});

Deno.test("parse() takes options before and after the arguments, in every spelling", () => {
  for (
    const line of [
      "create --bundle /b web",
      "create --bundle=/b web",
      "create -b /b web",
      "create -b/b web",
      "create -b=/b web",
      "create -bundle /b web",
      "create -bundle=/b web",
      "create web --bundle /b",
      "create --bundle /a --bundle /b web",
      "create --bundle /b -- web",
    ]
  ) assertEquals(parsed(create, line).options, { bundle: "/b" }, line);
});

Deno.test("parse() takes global options after the verb too", () => {
  assertEquals(parsed(kill, "kill --root /r web --debug TERM"), {
    globals: { root: "/r", debug: true },
    options: {},
    args: { id: "web", signal: "TERM" },
  });
});

Deno.test("parse() splits combined short options", () => {
  assertEquals(parsed(exec, "exec -dtu 1:2 web sh").options, {
    detach: true,
    tty: true,
    user: "1:2",
  });
});

Deno.test("parse() understands values of flags", () => {
  const value = (text: string) => parsed(exec, `exec ${text} web sh`).options.tty;
  assertEquals(["--tty", "-t", "--tty=true", "-t=1", "--tty=yes"].map(value), Array(5).fill(true));
  assertEquals(["--tty=false", "-t=0", "--tty=no"].map(value), Array(3).fill(false));
});

Deno.test("parse() collects repeated options", () => {
  assertEquals(parsed(exec, "exec -e A=1 --env B=2 --env=C=3 web env").options, {
    env: ["A=1", "B=2", "C=3"],
  });
});

Deno.test("parse() takes an empty value as if the option had not been given", () => {
  const { options, problem } = parse(create, ["create", "--pid-file=", "--bundle", "", "web"]);
  assertEquals([options, problem], [{}, undefined]);
});

Deno.test("parse() leaves the options of the program alone", () => {
  const args = (line: string) => parsed(exec, line);
  assertEquals(args("exec web sh -c x --tty -- -h"), {
    globals: {},
    options: {},
    args: { id: "web", args: ["sh", "-c", "x", "--tty", "--", "-h"] },
  });
  assertEquals(args("exec web --tty sh -t"), {
    globals: {},
    options: { tty: true },
    args: { id: "web", args: ["sh", "-t"] },
  });
  assertEquals(args("exec web -- -odd").args, { id: "web", args: ["-odd"] });
  assertEquals(args("exec -- web ls -l").args, { id: "web", args: ["ls", "-l"] });
});

Deno.test("parse() gives all that follows the id to ps", () => {
  assertEquals(parsed(ps, "ps -f json web -ef --format x"), {
    globals: {},
    options: { format: "json" },
    args: { id: "web", words: ["-ef", "--format", "x"] },
  });
});

Deno.test("parse() prefers a command's option to the global one of the same name", () => {
  assertEquals(parsed(spec, "--rootless true spec --rootless"), {
    globals: { rootless: "true" },
    options: { rootless: true },
    args: {},
  });
});

Deno.test("parse() takes a container that is called like the verb", () => {
  assertEquals(parsed(kill, "kill kill kill").args, { id: "kill", signal: "kill" });
});

Deno.test("parse() states the mistake", async (t) => {
  const cases: [Parameters<typeof parse>[0], string, string][] = [
    [create, "create", 'create: missing argument CONTAINER: see "runts create --help"'],
    [create, "create a b", 'create: unexpected argument "b": see "runts create --help"'],
    [create, "create --bundel /b a", 'create: unknown option "--bundel": did you mean "--bundle"?'],
    [create, "create --bund=/b a", 'create: unknown option "--bund": did you mean "--bundle"?'],
    [
      create,
      "create -no-pivott a",
      'create: unknown option "-no-pivott": did you mean "--no-pivot"?',
    ],
    [create, "create -x a", 'create: unknown option "-x": see "runts create --help"'],
    [
      create,
      "create --noPivot a",
      'create: unknown option "--noPivot": did you mean "--no-pivot"?',
    ],
    [
      create,
      "create a --bundle",
      'create: option "--bundle" needs a value: see "runts create --help"',
    ],
    [
      create,
      "create --preserve-fds two a",
      'create: option "--preserve-fds": "two" is not a whole number from 0: see "runts create --help"',
    ],
    [
      create,
      "create --preserve-fds -1 a",
      'create: option "--preserve-fds": "-1" is not a whole number from 0: see "runts create --help"',
    ],
    [
      list,
      "list -f xml",
      'list: option "-f": "xml" is not one of table, json: see "runts list --help"',
    ],
    [
      create,
      "create --no-pivot=maybe a",
      'create: option "--no-pivot": "maybe" is not true or false: see "runts create --help"',
    ],
    [
      kill,
      "--log-level loud kill a",
      'kill: option "--log-level": "loud" is not one of error, warning, info, debug: ' +
      'see "runts kill --help"',
    ],
    [kill, "kill -v a", 'kill: unknown option "-v": see "runts kill --help"'],
  ];
  for (const [command, line, message] of cases) {
    await t.step(line, () => assertEquals(problem(command, line), message));
  }
});

Deno.test("parse() knows where to log even after a mistake", () => {
  const line = parse(create, ["create", "--wrong", "--log", "/l", "--log-format", "json"]);
  assertEquals(line.globals, { log: "/l", logFormat: "json" });
  assertEquals(line.problem?.operation, 'unknown option "--wrong"');
});

Deno.test("parse() never throws, and never loses a word of the program", () => {
  const word = fc.oneof(fc.string(), fc.constantFrom("-t", "--", "-", "=", "--env", "-e=", "exec"));
  fc.assert(fc.property(fc.array(word), (words) => {
    parse(exec, words);
    const { args } = parse(exec, ["exec", "web", "sh", ...words]);
    assertEquals(args, { id: "web", args: ["sh", ...words] });
  }));
});

Deno.test("parse() takes a dash for a word: what is after it is the program's", () => {
  const { args, options } = parsed(exec, "exec web - -t --cwd /");
  assertEquals({ args, options }, {
    args: { id: "web", args: ["-", "-t", "--cwd", "/"] },
    options: {},
  });
});

Deno.test("findVerb() knows the global options that have a value", () => {
  for (const [key, option] of Object.entries(GLOBAL_OPTIONS)) {
    if (key === "help" || key === "version") continue;
    const words = "value" in option ? [`--${longName(key)}`, "x"] : [`--${longName(key)}`];
    assertEquals(findVerb([...words, "state", "web"]), "state", key);
  }
});

const abbreviating = defineCommand({
  name: "x",
  group: "system",
  summary: "x",
  arguments: { words: { value: "WORD", description: "x", rest: "command", optional: true } },
  options: {
    name: { short: "n", value: "NAME", description: "x" },
    namespaces: { short: "s", value: "LIST", description: "x" },
    rights: { short: "e", value: "RIGHTS", alone: "ALL", description: "x" },
    clearEnv: { description: "x" },
  },
  abbreviates: true,
  run: () => Promise.resolve(),
});

Deno.test("parse() takes the beginning of a long option where that is one alone", () => {
  assertEquals(parsed(abbreviating, "x --clear --namesp=A --name B c").options, {
    clearEnv: true,
    namespaces: "A",
    name: "B",
  });
  assertEquals(
    problem(abbreviating, "x --nam B"),
    'x: unknown option "--nam": did you mean "--name"?',
  );
  // One dash is for letters.
  assertEquals(parsed(abbreviating, "x -name").options, { name: "ame" });
});

Deno.test("parse() takes an option alone, with a value in its own word", () => {
  const rights = (line: string) => parsed(abbreviating, line);
  assertEquals(rights("x -e word"), {
    globals: {},
    options: { rights: "ALL" },
    args: { words: ["word"] },
  });
  assertEquals(rights("x -eCAP").options, { rights: "CAP" });
  assertEquals(rights("x --rights=CAP").options, { rights: "CAP" });
  assertEquals(rights("x --rig -n a").options, { rights: "ALL", name: "a" });
});
