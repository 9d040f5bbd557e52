/** Runtimes side by side in one process, each with its caller, root, cgroup manager and view of the host. */

import { assertEquals } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { hook } from "../../support/hooks.ts";
import { JOB, libraryTest, QUIET, script } from "../../support/script.ts";

/** A caller of a script's making. */
const CALLER = `
  const callerOf = (directory: string, name: string) => {
    const environment = ["PATH=/bin:/usr/bin", "WHO=" + name, "USER=" + name];
    const variable = (key: string) =>
      environment.find((entry) => entry.startsWith(key + "="))?.slice(key.length + 1);
    return {
      proc: "/proc/self", pid: Deno.pid, uid: Deno.uid()!, gid: Deno.gid()!, umask: 0o022,
      workingDirectory: () => directory, environment: () => environment, variable,
      limits: () => [],
    };
  };`;

libraryTest(
  "two runtimes work side by side, with the same id, and each is its caller's",
  async (runtime, bundle) => {
    using other = new Bundle(idle);
    idle(bundle.config);
    for (const one of [bundle, other]) {
      const { env: _, ...own } = hook(`echo $WHO >>${one.path}/hook`);
      one.config.hooks = { createRuntime: [own], poststop: [own] };
      one.save();
    }
    const roots = [`${runtime.root}/one`, `${runtime.root}/other`];
    const output = await script(
      `import { Container, containers, Runtime } from "@runts/runts";
     ${CALLER}
     const [one, other, bundle, otherBundle] = Deno.args as [string, string, string, string];
     const runtimes = [
       new Runtime({ root: one, cgroupManager: "disabled", caller: callerOf(bundle, "one") }),
       new Runtime({ root: other, caller: callerOf(otherBundle, "other") }),
     ];
     const made = await Promise.all(runtimes.map((runtime) =>
       Container.create({ runtime, id: "JOB", bundle: ".", ${QUIET} })
     ));
     await Promise.all(made.map((container) => container.start()));
     for (const [index, container] of made.entries()) {
       const groups = Deno.readTextFileSync("/proc/" + container.pid + "/cgroup");
       const paused = await container.pause().then(() => "paused", ({ message }) => message);
       const [{ id, bundle, status }] = await Array.fromAsync(containers(runtimes[index]));
       console.log(id, bundle, status, groups.includes("/JOB"), paused);
     }
     await Promise.all(made.map((container) => container.delete({ force: true })));
     const left = runtimes.map((runtime) => Array.fromAsync(containers(runtime)));
     console.log((await Promise.all(left)).map(({ length }) => length).join(" "));`,
      [...roots, bundle.path, other.path],
    );
    const refusal = `pause "${JOB}": cannot pause it: the container has no cgroup of its own`;
    assertEquals(
      output.stdout,
      `${JOB} ${bundle.path} running false ${refusal}\n` +
        `${JOB} ${other.path} paused true paused\n0 0\n`,
      output.stderr,
    );
    assertEquals([bundle, other].map(({ path }) => Deno.readTextFileSync(`${path}/hook`)), [
      "one\none\n",
      "other\nother\n",
    ]);
    for (const root of roots) Deno.removeSync(root);
  },
);

libraryTest("a hierarchy that is mounted elsewhere is found there", async (runtime, bundle) => {
  idle(bundle.config);
  bundle.save();
  const place = Deno.makeTempDirSync({ prefix: "runts-remount-" });
  try {
    const output = await script(
      `import { Container, Runtime } from "@runts/runts";
     import { explain } from "@runts/runts/explain";
     const [root, bundle, place] = Deno.args as [string, string, string];
     const runtime = new Runtime({ root });
     const made = async () => {
       const { steps } = await explain(runtime, { id: "JOB", bundle });
       return steps.filter(({ text }) => text.startsWith("make ")).map(({ text }) => text.slice(5));
     };
     const [first = ""] = await made();
     const points = Deno.readTextFileSync("/proc/self/mountinfo").split("\\n")
       .map((line) => line.split(" ")[4]!).filter((point) => first.startsWith(point + "/"));
     const point = points.sort((a, b) => b.length - a.length)[0]!;
     const call = async (...args: string[]) => {
       const { success } = await new Deno.Command(args[0]!, { args: args.slice(1) }).output();
       if (!success) throw new Error(args.join(" "));
     };
     await call("mount", "--bind", point, place);
     await call("umount", "--lazy", point);
     const moved = first.replace(point, place);
     const end = performance.now() + 20_000;
     while (!(await made()).includes(moved)) {
       if (performance.now() > end) throw new Error("it is never found");
       await new Promise((resolve) => setTimeout(resolve, 10));
     }
     const there = () => { try { return Deno.statSync(moved).isDirectory; } catch { return false; } };
     const before = there();
     const container = await Container.create({ runtime, id: "JOB", bundle, ${QUIET} });
     await container.start();
     const during = there();
     await container.delete({ force: true });
     console.log(before, during, there());`,
      [runtime.root, bundle.path, place],
      "--no-check",
      ["unshare", "--mount", "--propagation", "private"],
    );
    assertEquals([output.stdout, output.code], ["false true false\n", 0], output.stderr);
  } finally {
    Deno.removeSync(place);
  }
});

libraryTest(
  "a configuration that stalls in a pipe holds no other container up",
  async (runtime, bundle) => {
    bundle.config.process.args = ["true"];
    bundle.save();
    using stalled = new Bundle();
    Deno.removeSync(`${stalled.path}/config.json`);
    const output = await script(
      `import { Container } from "@runts/runts";
     const [root, bundle, stalled] = Deno.args as [string, string, string];
     const text = Deno.readTextFileSync(bundle + "/config.json");
     await new Deno.Command("mkfifo", { args: [stalled + "/config.json"] }).output();
     using writer = Deno.openSync(stalled + "/config.json", { read: true, write: true });
     writer.writeSync(new TextEncoder().encode(text.slice(0, 20)));
     let done = false;
     const options = { root, ${QUIET} } as const;
     const late = Container.create({ ...options, id: "JOB-late", bundle: stalled })
       .finally(() => done = true);
     {
       await using container = await Container.create({ ...options, id: "JOB", bundle });
       await container.start();
       console.log((await container.wait()).code, done);
     }
     writer.writeSync(new TextEncoder().encode(text.slice(20)));
     writer.close();
     await using container = await late;
     await container.start();
     console.log((await container.wait()).code, done);`,
      [runtime.root, bundle.path, stalled.path],
    );
    assertEquals([output.stdout, output.code], ["0 false\n0 true\n", 0], output.stderr);
  },
);
