/** What is kept of supervised execs: how many, and where. */

import { assert, assertEquals } from "@std/assert";
import type { TestRuntime } from "../../support/host.ts";
import { until } from "../../support/runtime.ts";
import { record, runScript, supervisionTest } from "../../support/supervised.ts";

const folder = (runtime: TestRuntime, id: string) => `${runtime.root}/${id}/processes`;

const names = (runtime: TestRuntime, id: string) =>
  Array.from(Deno.readDirSync(folder(runtime, id)), ({ name }) => name).sort();

/** As if so many more execs had ended, one after the other. */
function addEnded(runtime: TestRuntime, id: string, like: string, count: number): string[] {
  const from = `${folder(runtime, id)}/${like}`;
  const exit = record(runtime, id, `processes/${like}/exit.json`);
  return Array.from({ length: count }, (_, index) => {
    const name = `old-${String(index).padStart(3, "0")}`;
    const to = `${folder(runtime, id)}/${name}`;
    Deno.mkdirSync(to);
    Deno.copyFileSync(`${from}/process.json`, `${to}/process.json`);
    const at = new Date(Date.parse(exit.at) - 1_000_000 + index * 1000).toISOString();
    Deno.writeTextFileSync(`${to}/exit.json`, JSON.stringify({ ...exit, at }));
    return name;
  });
}

supervisionTest("of ended execs the newest hundred are kept", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000");
  await runtime.ok(["exec", "--name", "first", id, "true"]);
  await runtime.ok(["exec", "--name", "long", "--detach", id, "sleep", "1000"]);
  const places = folder(runtime, id);
  Deno.mkdirSync(`${places}/begun`); // by a command that goes on in a moment
  Deno.mkdirSync(`${places}/left`);
  Deno.utimeSync(`${places}/left`, 1, 1);
  const old = addEnded(runtime, id, "first", 123);
  const still = ["begun", "first", "init", "left", "long", ...old].sort();
  assertEquals(await runtime.ok(["exec", "--supervised", "--detach", id, "true"]), "exec-1\n");
  assertEquals(names(runtime, id), [...still, "exec-1"].sort());
  await runtime.ok(["wait", "--process", "exec-1", id]);
  assertEquals(await runtime.ok(["exec", "--supervised", "--detach", id, "true"]), "exec-2\n");
  const kept = ["begun", "exec-1", "exec-2", "first", "init", "long", ...old.slice(25)].sort();
  assertEquals(names(runtime, id), kept);
  const { code, stderr } = await runtime.run(["wait", "--process", "old-000", id]);
  const told = `runts: wait "${id}": it has no process "old-000"\n`;
  assertEquals({ code, stderr }, { code: 1, stderr: told });
  assertEquals(await runtime.ok(["wait", "--process", "first", id]), "0\n");
  Deno.kill(record(runtime, id, "processes/long/process.json").pid, "SIGKILL");
  assertEquals(await runtime.ok(["wait", "--process", "long", id]), "137\n");
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("execs at the same time have names of their own", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000");
  await runtime.ok(["exec", "--name", "exec-7", id, "true"]);
  const words = ["exec", "--supervised", "--detach", id, "true"];
  const given = await Promise.all([1, 2, 3, 4].map(() => runtime.ok(words)));
  assertEquals(given.sort(), ["exec-10\n", "exec-11\n", "exec-8\n", "exec-9\n"]);
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("how an exec ended is kept on disk at once", async (runtime, bundle) => {
  const kept = `${bundle.path}/kept`;
  Deno.mkdirSync(kept);
  const id = await runScript(runtime, bundle, "sleep 1000", "--persist", kept);
  const copy = (name: string) => {
    try {
      return Deno.readTextFileSync(`${kept}/${id}/${name}/exit.json`);
    } catch {
      return undefined;
    }
  };
  for (const code of [4, 6]) {
    const script = ["sh", "-c", `exit ${code}`];
    await runtime.ok(["exec", "--name", "backup", "--detach", id, ...script]);
    assertEquals(await runtime.ok(["wait", "--process", "backup", id]), `${code}\n`);
    await until("it is kept", () => copy("backup")?.includes(`"code":${code},`) === true);
    const exit = Deno.readTextFileSync(`${folder(runtime, id)}/backup/exit.json`);
    assertEquals(copy("backup"), exit);
  }
  assertEquals((await runtime.state(id)).status, "running");
  await runtime.ok(["delete", "--force", id]);
  assert(copy("init") !== undefined);
});
