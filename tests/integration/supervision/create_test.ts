/** A creation that does not come to its end is ended and undone, and says where it was. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Config } from "../../support/bundle.ts";
import { hook } from "../../support/hooks.ts";
import { hasProcesses } from "../../support/host.ts";
import { JOB, libraryTest, script } from "../../support/script.ts";
import { until } from "../../support/runtime.ts";
import {
  eventsOf,
  eventTypes,
  monitorsOf,
  record,
  runScript,
  supervisionTest,
} from "../../support/supervised.ts";

const HANG = hook("exec sleep 1000");
/** The state document comes on the standard input. */
const KILL_INIT = `kill -9 "$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/')"`;

supervisionTest("a creation that hangs is undone at its time-out", async (runtime, bundle) => {
  const places = [
    [
      "createRuntime",
      'hooks.createRuntime[0]: it is not made after 1 s: hook "/bin/sh" still runs',
    ],
    [
      "createContainer",
      "it is not made after 1 s: init is still at work (last stage completed: namespaces)",
    ],
  ] as const;
  for (const [kind, where] of places) {
    bundle.config.hooks = { [kind]: [HANG] };
    bundle.save();
    for (const verb of [["create"], ["run", "--detach"]]) {
      const id = runtime.id();
      const words = [...verb, "--create-timeout", "1s", "--bundle", bundle.path, id];
      const before = performance.now();
      const { code, stdout, stderr } = await runtime.run(words);
      assert(performance.now() - before >= 1000);
      const told = `runts: ${verb[0]} "${id}": ${where}\n`;
      assertEquals({ code, stdout, stderr }, { code: 1, stdout: "", stderr: told });
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
      assertEquals(monitorsOf(runtime), []);
      await until("nobody is left", () => !hasProcesses(bundle));
    }
  }
});

supervisionTest("a creation within its time-out is left alone", async (runtime, bundle) => {
  bundle.config.hooks = { createRuntime: [hook("sleep 0.3")] };
  for (const time of ["20s", "0"]) {
    const id = await runScript(runtime, bundle, "sleep 0.4; exit 5", "--create-timeout", time);
    assertEquals(await runtime.ok(["wait", id]), "5\n");
    const { supervision } = JSON.parse(await runtime.ok(["inspect", id]));
    assertEquals(supervision.createTimeout, time === "0" ? 0 : 20_000);
    await runtime.ok(["delete", id]);
  }
});

supervisionTest("a restart that hangs is a failure, and tried again", async (runtime, bundle) => {
  const once = `${bundle.path}/once`;
  const script = `if [ -e ${once} ]; then rm ${once}; exec sleep 1000; fi`;
  bundle.config.hooks = { createRuntime: [hook(script)] };
  const options = ["--restart", "on-failure:2", "--create-timeout", "2s"];
  const id = await runScript(runtime, bundle, "sleep 1000", ...options);
  Deno.writeTextFileSync(once, "");
  Deno.kill((await runtime.state(id)).pid, "SIGKILL");
  const runs = () => eventTypes(runtime, id).filter((type) => type === "started").length;
  await until("it runs again", () => runs() === 2);
  const [first, second] = eventsOf(runtime, id).filter(({ type }) => type === "restarting");
  assertEquals(first!.failure, undefined);
  assertMatch(second!.failure, /^hooks\.createRuntime\[0\]: it is not made after 2 s: hook /);
  assertEquals(record(runtime, id, "supervised.json").restarts, 2);
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("an init that dies says why, in one line", async (runtime, bundle) => {
  bundle.config.hooks = { createRuntime: [hook(KILL_INIT)] };
  bundle.save();
  const id = runtime.id();
  const words = ["create", "--supervised", "--bundle", bundle.path, id];
  const { code, stderr } = await runtime.run(words);
  const stage = "(last stage completed: namespaces)";
  const told = `init ended before the container was ready: killed by SIGKILL ${stage}`;
  assertEquals({ code, stderr }, { code: 1, stderr: `runts: create "${id}": ${told}\n` });
  assertEquals(await runtime.ok(["list", "--quiet"]), "");
});

supervisionTest("what is wrong is told in the words of create", async (runtime, bundle) => {
  const wrong: ((config: Config) => void)[] = [
    (config) => config.process.args = ["none"],
    (config) => config.mounts.push({ destination: "/none", type: "nonsense", source: "none" }),
    (config) => config.hooks = { createRuntime: [hook("exit 3")] },
    (config) => config.root.path = "/none",
    (config) => config.linux.namespaces.push({ type: "nonsense" }),
    (config) => config.process.rlimits = [{ type: "RLIMIT_NONE", soft: 1, hard: 1 }],
  ];
  const before = JSON.stringify(bundle.config);
  for (const edit of wrong) {
    Object.assign(bundle.config, { hooks: undefined }, JSON.parse(before));
    edit(bundle.config);
    bundle.save();
    const id = runtime.id();
    const say = async (...options: string[]) => {
      const words = ["run", "--detach", ...options, "--bundle", bundle.path, id];
      const { code, stdout, stderr } = await runtime.run(words);
      return { code, stdout, stderr: stderr.replace(/after \d+ ms/, "after some ms") };
    };
    const plain = await say();
    assertEquals([plain.code, plain.stderr.split("\n").length], [1, 2], plain.stderr);
    assertEquals(await say("--supervised"), plain);
  }
});

libraryTest("a script chooses how long its making may take", async (runtime, bundle) => {
  bundle.config.hooks = { createRuntime: [HANG] };
  bundle.save();
  const { stdout, stderr } = await script(
    `import { Container } from "@runts/runts";
     const [root, bundle] = Deno.args;
     const make = (createTimeout, signal) =>
       Container.create({ id: "JOB", bundle, root, supervised: { createTimeout }, signal })
         .catch((error) => console.log(error.message));
     await make(1000);
     await make(0, AbortSignal.abort(new Error("given up")));
     await make(20_000, AbortSignal.timeout(200));
     await make(-1);`,
    [runtime.root, bundle.path],
  );
  assertEquals(
    stdout.replaceAll(JSON.stringify(JOB), "JOB").split("\n"),
    [
      `create JOB: hooks.createRuntime[0]: it is not made after 1 s: hook "/bin/sh" still runs`,
      "given up",
      "The operation was aborted due to timeout",
      "create JOB: createTimeout -1 is not a whole number of at least 0",
      "",
    ],
    stderr,
  );
});
