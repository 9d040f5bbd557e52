/** Configurations that a script gives as objects. */

import { assertEquals } from "@std/assert";
import { JOB, libraryTest, script } from "../../support/script.ts";

const BEGIN = `
import { Container } from "@runts/runts";
const [root, rootfs] = Deno.args as [string, string];
`;

libraryTest("what a spec leaves out is the template's", async (runtime, bundle) => {
  const output = await script(
    `${BEGIN}
     const given = {
       root: { path: rootfs },
       process: { args: ["sleep", "1000"], user: { uid: 5 }, rlimits: null },
       hostname: "job",
       mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
       linux: { resources: { pids: { limit: 1n } }, maskedPaths: null },
       annotations: { "a.b": "c", gone: null },
     };
     const before = JSON.stringify(given, (_, value) => String(value));
     await using box = await Container.create({ id: "JOB", root, spec: given });
     const copy = JSON.parse(Deno.readTextFileSync(root + "/JOB/config.json"));
     const { process, linux, mounts, hostname, annotations } = copy;
     console.log(process.terminal, process.user, process.rlimits, process.cwd, process.env.length);
     console.log(linux.resources, linux.maskedPaths, linux.readonlyPaths.length, mounts.length);
     console.log(hostname, annotations, copy.root, copy.ociVersion);
     console.log(before === JSON.stringify(given, (_, value) => String(value)));
     console.log((await box.state()).bundle === Deno.cwd());`,
    [runtime.root, bundle.rootfs],
    "--check",
  );
  assertEquals([output.code, output.stdout.replaceAll(bundle.rootfs, "ROOTFS")], [
    0,
    "false { uid: 5, gid: 0 } undefined / 2\n" +
    '{ devices: [ { allow: false, access: "rwm" } ], pids: { limit: 1 } } undefined 5 1\n' +
    'job { "a.b": "c" } { path: "ROOTFS", readonly: true } 1.3.0\ntrue\ntrue\n',
  ], output.stderr);
});

libraryTest("faults of a spec name their place", async (runtime, bundle) => {
  const output = await script(
    `${BEGIN}
     import { isRuntsError, SpecError } from "@runts/runts";
     import { explain } from "@runts/runts/explain";
     const loop: Record<string, unknown> = {};
     loop.annotations = loop;
     const process = { args: ["true"] };
     for (const spec of [
       { process: { args: [] } },
       { process: { args: ["true"], cwd: "tmp" }, mounts: [{ destination: 5 }] },
       { process, linux: { resources: { memory: { limit: NaN } } } },
       { process, linux: { resources: { memory: { limit: 1.5 } } } },
       { process: { args: () => {} } },
       { process, annotations: { a: "\\ud800" } },
       { process: null },
       "no object",
       loop,
     ] as any[]) {
       const whole = typeof spec === "string" ? spec : { root: { path: rootfs }, ...spec };
       const error = await Container.create({ id: "JOB", root, spec: whole }).catch((error) => error);
       console.log(isRuntsError(error), error instanceof SpecError, error.message);
     }
     const spec = { root: { path: rootfs } };
     const both = Container.create({ id: "JOB", root, spec, config: "x.json" });
     console.log(await both.catch(({ message }) => message));
     const none = Container.create({ id: "JOB", root, spec: { root: { path: "none" } } });
     console.log(await none.catch(({ message }) => message.replace(Deno.cwd(), "CWD")));
     const { steps } = await explain({ root }, { id: "JOB", spec });
     console.log(steps.some(({ from }) => from === "root.readonly"));`,
    [runtime.root, bundle.rootfs],
  );
  const create = `create "${JOB}": `;
  assertEquals(output, {
    code: 0,
    stdout: [
      `true true ${create}spec: process.args: has no entry`,
      `true true ${create}spec: mounts[0].destination: 5 is not a string ` +
      '(and 1 more finding, see "runts validate")',
      `true true ${create}spec: linux.resources.memory.limit: NaN is not a whole number`,
      `true true ${create}spec: linux.resources.memory.limit: 1.5 is not a whole number`,
      `true true ${create}spec: process.args: ()=>{} is not an array`,
      `true false ${create}parse "spec": \\ud800 is half a surrogate pair, and no character`,
      `true false ${create}spec: process is missing: there is nothing to start`,
      `true true ${create}spec: "no object" is not an object`,
      `true false ${create}spec: it is nested without end`,
      `${create}both config and spec are given`,
      `${create}root.path: root filesystem "CWD/none": ENOENT (no such file or directory)`,
      "true",
    ].join("\n") + "\n",
    stderr: "",
  });
});

libraryTest("a supervised container is made of a spec, too", async (runtime, bundle) => {
  const output = await script(
    `${BEGIN}
     import { containers } from "@runts/runts";
     const spec = { root: { path: rootfs }, process: { args: ["sh", "-c", "echo hi; exit 4"] } };
     const supervised = { labels: { kind: "test" } };
     for (const streams of [{ stdout: "piped" }, { stdin: "null" }] as any[]) {
       const options = { id: "JOB", root, spec, supervised, ...streams };
       console.log(await Container.create(options).catch(({ message }) => message));
     }
     await using box = await Container.create({ id: "JOB", root, spec, supervised });
     await box.start();
     console.log(await box.status);
     await box.restart();
     console.log((await box.wait()).code);
     for await (const { text } of box.logs()) console.log(text);
     for await (const { id, supervision } of containers({ root })) console.log(id, supervision?.labels);
     console.log(await box.output().catch(({ message }) => message));`,
    [runtime.root, bundle.rootfs],
  );
  const refusal =
    `create "${JOB}": the streams of a supervised process are all null, or all given, ` +
    "or its monitor's: use logs and attach\n";
  assertEquals(output, {
    code: 0,
    stdout: `${refusal}${refusal}{ success: false, code: 4, signal: null }\n4\nhi\nhi\n` +
      `${JOB} { kind: "test" }\n` +
      'stdout is not piped: make the process with stdout: "piped"\n',
    stderr: "",
  });
});
