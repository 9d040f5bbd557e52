/**
 * The contract of the seed. The state directory of a supervised container holds for each process
 * `process.json`, `pid`, `exit.json`, the fifo `exit` that ends when the process does, and the fifo
 * `control`. A create whose init dies says why in one line. A second program loads everything after the first
 * was killed, and hears the exits that happened meanwhile.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { hook } from "../../support/hooks.ts";
import { isRunning } from "../../support/host.ts";
import { command, until } from "../../support/runtime.ts";
import { JOB, script } from "../../support/script.ts";
import { monitorsOf, record, runScript, supervisionTest } from "../../support/supervised.ts";

/** What a shell does that wants to know how a process ends, whenever it comes. */
function shellWaits(directory: string) {
  return command(["sh", "-c", 'cat "$0/exit" 2>/dev/null; cat "$0/exit.json"', directory]);
}

const isThere = (path: string) => {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
};

supervisionTest("for each process there are its files", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "cat; exit 5", "--interactive");
  await runtime.ok(["exec", "--name", "backup", "--detach", id, "sleep", "1000"]);
  const begun = [["backup", ["sleep", "1000"]], ["init", ["sh", "-c", "cat; exit 5"]]] as const;
  for (const [name, args] of begun) {
    const directory = `${runtime.root}/${id}/processes/${name}`;
    // process.json: what it is; pid: its process id.
    const { spec, pid } = record(runtime, id, `processes/${name}/process.json`);
    assertEquals(spec.args, [...args]);
    assertEquals(Deno.readTextFileSync(`${directory}/pid`), String(pid));
    assert(isRunning(pid));
    // exit: a fifo, as control is; exit.json is there once it has ended.
    assertEquals([isThere(`${directory}/exit`)?.isFifo, isThere(`${directory}/control`)?.isFifo], [
      ...[true, true],
    ]);
    assertEquals(isThere(`${directory}/exit.json`), undefined);
    // The fifo ends when the process does.
    const waiting = shellWaits(directory);
    if (name === "init") Deno.writeTextFileSync(`${directory}/control`, "close-stdin\n");
    else Deno.kill(pid, "SIGTERM");
    const exit = JSON.parse((await waiting).stdout);
    const wanted = name === "init" ? { code: 5, signal: 0 } : { code: 143, signal: 15 };
    assertEquals(exit, { pid, ...wanted, core: false, oom: false, at: exit.at });
    assertMatch(exit.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    // It is unlinked first: a late reader finds exit.json.
    assertEquals(isThere(`${directory}/exit`), undefined);
    assertEquals(JSON.parse((await shellWaits(directory)).stdout), exit);
  }
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest(
  "nobody comes between the end of the fifo and the record",
  async (runtime, bundle) => {
    const id = await runScript(runtime, bundle, "sleep 1000");
    const begin = async (number: number) => {
      const args = ["sh", "-c", `sleep 0.0${number}; exit ${number}`];
      await runtime.ok(["exec", "--name", `quick-${number}`, "--detach", id, ...args]);
      const { stdout, code } = await shellWaits(`${runtime.root}/${id}/processes/quick-${number}`);
      assertEquals([code, JSON.parse(stdout).code], [0, number]);
    };
    for (let number = 0; number < 8; number += 2) {
      await Promise.all([begin(number), begin(number + 1)]);
    }
    await runtime.ok(["delete", "--force", id]);
  },
);

supervisionTest("lines go to control: a size, and the end of input", async (runtime, bundle) => {
  bundle.config.process.terminal = true;
  const id = await runScript(runtime, bundle, "read go; stty size", "--interactive");
  const control = `${runtime.root}/${id}/processes/init/control`;
  Deno.writeTextFileSync(control, "resize 99 33\n");
  const { stdout } = await runtime.run(["attach", id], { stdin: "go\n" });
  assertMatch(stdout, /33 99\r?\n$/);
  assertEquals(await runtime.ok(["wait", id]), "0\n");
  await runtime.ok(["delete", id]);
});

supervisionTest(
  "a create whose init dies says why, within its time-out",
  async (runtime, bundle) => {
    const fate = [
      [
        "exit 9",
        /^runts: create "[^"]+": hooks\.createContainer\[0\]: .* exit status 9 after .*\n$/,
      ],
      ["exec sleep 1000", /^runts: create "[^"]+": it is not made after 1 s: init is still .*\n$/],
    ] as const;
    for (const [what, message] of fate) {
      bundle.config.hooks = { createContainer: [hook(what)] };
      bundle.save();
      const id = runtime.id();
      const words = ["create", "--create-timeout", "1s", "--bundle", bundle.path, id];
      const { code, stderr } = await runtime.run(words);
      assertEquals(code, 1);
      assertMatch(stderr, message);
      assertEquals([await runtime.ok(["list", "--quiet"]), monitorsOf(runtime)], ["", []]);
    }
  },
);

supervisionTest("a second program loads everything after the first was killed", async (
  runtime,
  bundle,
) => {
  bundle.config.process.args = ["sh", "-c", "read go; exit 5"];
  bundle.save();
  const first = await script(
    `import { Container } from "@runts/runts";
     const [root, bundle] = Deno.args;
     const supervised = { interactive: true, labels: { app: "shop" } };
     const container = await Container.create({ id: "JOB", bundle, root, supervised });
     await container.start();
     await container.execSupervised(["sleep", "1000"], { name: "long" });
     await container.execSupervised(["sh", "-c", "read go; exit 4"], { name: "asked", interactive: true });
     console.log(container.pid);
     Deno.kill(Deno.pid, "SIGKILL");`,
    [runtime.root, bundle.path],
  );
  assertEquals([first.code, Number(first.stdout) > 0], [137, true], first.stderr);
  // Nobody is there, and one of them ends.
  const processes = `${runtime.root}/${JOB}/processes`;
  Deno.writeTextFileSync(`${processes}/asked/control`, "close-stdin\n");
  await until("it has ended", () => isThere(`${processes}/asked/exit.json`) !== undefined);
  const second = await script(
    `import { containers, Container } from "@runts/runts";
     const [root] = Deno.args;
     for await (const { id, status, supervision } of containers({ root })) {
       console.log(id === "JOB", status, supervision.labels);
     }
     const container = await Container.open("JOB", { root });
     console.log(container.pid);
     const { processes } = await container.inspect();
     for (const { name, status, args, exit } of processes) console.log(name, status, args.at(-1), exit?.code);
     // And it hears the exits that are to come.
     const ended = container.wait();
     await container.closeStdin();
     console.log((await ended).code);
     await container.delete();`,
    [runtime.root],
  );
  assertEquals(second.stdout.split("\n"), [
    'true running { app: "shop" }',
    first.stdout.trim(),
    "init running read go; exit 5 undefined",
    "asked ended read go; exit 4 4",
    "long running 1000 undefined",
    "5",
    "",
  ], second.stderr);
});
