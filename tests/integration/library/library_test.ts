/** mod.ts from a script in another directory with its own deno.json. */

import { assert, assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { JOB, libraryTest, QUIET, script } from "../../support/script.ts";

libraryTest(
  "a script creates, starts, waits for and deletes a container",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sh", "-c", "exit 5"];
    bundle.save();
    const output = await script(
      `import { Container } from "@runts/runts";
     const [root, bundle] = Deno.args;
     {
       await using container = await Container.create({ id: "JOB", bundle: bundle!, root: root! });
       console.log((await container.state()).status);
       await container.start();
       const { code, signal } = await container.wait();
       console.log(code, signal, (await container.state()).status);
     }
     try {
       await Container.open("JOB", { root: root! });
     } catch (error) {
       console.log((error as Error).message);
     }`,
      [runtime.root, bundle.path],
    );
    const end = `open "${JOB}": container does not exist`;
    assertEquals(output.stdout, `created\n5 null stopped\n${end}\n`);
    assertEquals(output.code, 0);
  },
);

libraryTest(
  "a script runs processes in a container, pauses and kills it",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sleep", "1000"];
    bundle.save();
    const output = await script(
      `import { Container } from "@runts/runts";
     const [root, bundle] = Deno.args;
     await using container = await Container.create({ id: "JOB", bundle: bundle!, root: root! });
     await container.start();
     const process = await container.exec(["sh", "-c", "exit 4"]);
     console.log(await process.wait());
     await container.pause();
     console.log((await container.state()).status);
     await container.resume();
     await container.kill("KILL");
     console.log(await container.wait());`,
      [runtime.root, bundle.path],
    );
    assertEquals(
      output.stdout,
      "{ success: false, code: 4, signal: null }\npaused\n" +
        '{ success: false, code: 137, signal: "SIGKILL" }\n',
      output.stderr,
    );
  },
);

libraryTest("many lifecycles in one process leave nothing behind", async (runtime, bundle) => {
  const output = await script(
    `import { Container } from "@runts/runts";
     const [root, bundle] = Deno.args;
     const fds = () => [...Deno.readDirSync("/proc/self/fd")].length;
     async function lifecycle(round: number) {
       const options = { id: "JOB" + round, bundle: bundle!, root: root!, ${QUIET} } as const;
       const container = await Container.create(options);
       await container.start();
       const { code } = await container.wait();
       await container.delete();
       if (code !== 0) throw new Error("ended with " + code);
     }
     const eight = (from: number) =>
       Promise.all([...Array(8)].map((_, round) => lifecycle(from + round)));
     // Deno opens a pair of sockets for signals, by itself half a second after its start.
     const ignore = () => {};
     Deno.addSignalListener("SIGUSR2", ignore);
     await eight(200);
     const before = fds();
     for (let round = 1; round < 30; round++) await lifecycle(round);
     await eight(100);
     console.log(fds() - before);
     Deno.removeSignalListener("SIGUSR2", ignore);
     const children = Deno.readTextFileSync(\`/proc/self/task/\${Deno.pid}/children\`);
     console.log(children.trim() === "");`,
    [runtime.root, bundle.path],
  );
  assertEquals(output.stdout, "0\ntrue\n", output.stderr);
});

libraryTest("an error carries its data", async (runtime, bundle) => {
  const output = await script(
    `import { Container, isRuntsError } from "@runts/runts";
     const [root, bundle] = Deno.args;
     try {
       await Container.create({ id: "a/b", bundle: bundle!, root: root! });
     } catch (error) {
       if (isRuntsError(error)) console.log(error.operation, error.data.command, error.data.hint);
     }`,
    [runtime.root, bundle.path],
  );
  assertEquals(
    output.stdout,
    'invalid container id "a/b" create "a/b" ' +
      'only letters, digits and "_", "+", "-", ".", "," are allowed\n',
  );
});

libraryTest(
  "a script that deletes another's container does not wait for it in vain",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sleep", "1000"];
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const output = await script(
      `import { Container } from "@runts/runts";
     const [root, id] = Deno.args;
     const child = new Deno.Command("sh", { args: ["-c", "exit 3"] }).spawn();
     const container = await Container.open(id!, { root: root! });
     await container.delete({ force: true });
     const late = new Promise((resolve) => setTimeout(() => resolve("it hangs"), 30_000));
     const ended = ({ code }: { code: number }) => "it ended with " + code;
     const waited = container.wait().then(ended, (error) => error.message);
     console.log(await Promise.race([waited, late]));
     console.log((await child.status).code);
     Deno.exit();`,
      [runtime.root, id],
    );
    const [waited = "", child] = output.stdout.split("\n");
    // From Linux 6.15 on, what its parent has been told is known to others, if it was in time.
    const unknown = `wait "${id}": ` +
      "the exit status is known only to the process that made the container";
    assert([unknown, "it ended with 137"].includes(waited), output.stdout + output.stderr);
    assertEquals(child, "3");
  },
);

libraryTest("events end at once when their signal was given before", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  const output = await script(
    `import { Container } from "@runts/runts";
     const [root, id] = Deno.args;
     const signal = AbortSignal.abort();
     setTimeout(() => {
       console.log("it goes on");
       Deno.exit();
     }, 30_000);
     const container = await Container.open(id!, { root: root! });
     for await (const event of container.events({ signal })) console.log(event);
     console.log("ended");
     Deno.exit();`,
    [runtime.root, id],
  );
  await runtime.ok(["delete", "--force", id]);
  assertEquals(output.stdout, "ended\n", output.stderr);
});

/** Says what is left after some faults that it did not have after the first few. */
const FAULTS = `
import { Container } from "@runts/runts";
const [root, id, ...bundles] = Deno.args;
const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
const children = () => [...Deno.readDirSync("/proc/self/task")].map(({ name }) =>
  Deno.readTextFileSync(\`/proc/self/task/\${name}/children\`)).join("").trim();
const said = new Set();
let before = 0;
for (let i = 0; i < 12; i++) {
  for (const bundle of bundles) {
    try {
      await using container = await Container.create({ root, id, bundle, ${QUIET} });
      await container.start();
    } catch (error) {
      said.add(error.message);
    }
  }
  if (i === 2) before = descriptors();
}
// Deno opens two for itself when a call first takes long; a leak would be one in every round.
const steady = descriptors() - before < 9;
console.log(JSON.stringify({ steady, children: children(), said: [...said] }));
`;

libraryTest(
  "a script that survives faults keeps no descriptor and no child",
  async (runtime, bundle) => {
    using other = new Bundle();
    const id = runtime.id();
    const kill = (path: string, whom: string) => ({
      path,
      args: ["sh", "-c", `kill -9 ${whom}`],
      env: ["PATH=/bin:/usr/bin"],
    });
    const named = "$(grep -o '\"pid\":[0-9]*' | cut -d: -f2)";
    bundle.config.hooks = { createRuntime: [kill("/bin/bash", named)] };
    bundle.save();
    other.config.linux.namespaces = other.config.linux.namespaces.filter(
      ({ type }: { type: string }) => type !== "pid",
    );
    other.config.hooks = { startContainer: [kill("/bin/sh", "$PPID")] };
    other.save();
    const output = await script(FAULTS, [runtime.root, id, bundle.path, other.path]);
    assertEquals({ ...output, stdout: JSON.parse(output.stdout || "{}") }, {
      code: 0,
      stdout: {
        steady: true,
        children: "",
        said: [
          `create "${id}": init ended before the container was ready: killed by SIGKILL ` +
          "(last stage completed: namespaces)",
          `start "${id}": init ended before it executed the program: killed by SIGKILL`,
        ],
      },
      stderr: "",
    });
  },
);

libraryTest(
  "what a script asks for wrongly is a RuntsError of that call",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sleep", "1000"];
    bundle.save();
    const output = await script(
      `import { Container, isRuntsError } from "@runts/runts";
     const [root, bundle] = Deno.args as [string, string];
     const make = (preserveFds: number) => Container.create({ id: "JOB", bundle, root, preserveFds });
     await using container = await make(0);
     await container.start();
     const calls = [
       () => container.kill("FOO"),
       () => container.kill(65),
       () => container.exec(["true"], { preserveFds: -1 }),
       () => container.exec(["true"], { preserveFds: 0.5 }),
       () => container.exec(["true"], { env: { "A=B": "1" } }),
       () => container.exec(["true"], { stdout: "pipe" as "piped" }),
       () => container.exec(["true"], { stdin: -1 }),
       () => container.events({ interval: 0 }).next(),
       () => container.events({ interval: NaN }).next(),
       () => container.update({ resources: { cpu: { shares: 1.5 } } }),
       () => container.output(),
       async () => container.stdin,
       async () => container.terminal,
     ];
     for (const call of calls) {
       const promise: Promise<unknown> = call(); // throws nothing by itself
       await promise.catch((error) => console.log(isRuntsError(error), error.message));
     }`,
      [runtime.root, bundle.path],
      "--check",
    );
    assertEquals(output, {
      code: 0,
      stdout: [
        `kill "${JOB}": unknown signal "FOO"`,
        `kill "${JOB}": unknown signal "65"`,
        `exec "${JOB}": preserveFds -1 is not a number of descriptors`,
        `exec "${JOB}": preserveFds 0.5 is not a number of descriptors`,
        `exec "${JOB}": "A=B" is not the name of an environment variable`,
        `exec "${JOB}": stdout "pipe" is no open descriptor, nor "inherit" or "null"`,
        `exec "${JOB}": stdin -1 is no open descriptor, nor "inherit" or "null"`,
        `events "${JOB}": interval 0 is not a number of milliseconds above 0`,
        `events "${JOB}": interval NaN is not a number of milliseconds above 0`,
        `update "${JOB}": cpu.shares: 1.5 is not a whole number`,
        'stdout is not piped: make the process with stdout: "piped"',
        'stdin is not piped: make the process with stdin: "piped"',
        "the process has no terminal here",
      ].map((message) => `true ${message}\n`).join(""),
      stderr: output.stderr,
    });
  },
);

libraryTest("a script can name the types of what it is given", async () => {
  const output = await script(
    `import type { ContainerExecOptions, Finding, Stats } from "@runts/runts";
     import type { Features, LinuxFeatures, Mount, Process, Resources } from "@runts/runts/oci";
     import { NAMESPACE_TYPES } from "@runts/runts/oci";
     import { explain } from "@runts/runts/explain";
     import * as verbs from "@runts/runts/verbs";
     const limits: Resources = { pids: { limit: 5 } };
     const mount: Mount = { destination: "/proc", type: "proc" };
     export const shown = (findings: readonly Finding[]) => findings.map((one) => one.path);
     export const found = async () => shown((await verbs.validate()).findings);
     export const used = (id: string): Promise<Stats> => verbs.stats({ root: "/" }, { id });
     export const gone = (id: string): Promise<void> => verbs.delete({ root: "/" }, { id });
     export const steps = async (id: string) => (await explain({}, { id })).steps.map(({ op }) => op?.op);
     const process: Process = { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 } };
     const features: Features = await verbs.features();
     const linux: LinuxFeatures | undefined = features.linux;
     const settings: ContainerExecOptions = { cwd: "/" };
     console.log(limits.pids?.limit, mount.type, process.args, linux !== undefined, settings.cwd);
     console.log(NAMESPACE_TYPES.includes("time"));`,
    [],
    "--check",
  );
  assertEquals(
    [output.stdout, output.code],
    ['5 proc [ "true" ] true /\ntrue\n', 0],
    output.stderr,
  );
});
