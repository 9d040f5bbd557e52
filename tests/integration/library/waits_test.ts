/** Many waits in one script: they share a thread, hold nobody up, and can be ended. */

import { assert, assertEquals } from "@std/assert";
import type { Bundle } from "../../support/bundle.ts";
import { libraryTest, QUIET, script } from "../../support/script.ts";

/** What the scripts look at. */
const LOOK = `
import { Container, isRuntsError } from "@runts/runts";
import { start } from "@runts/runts/verbs";
const [root, bundle, count] = Deno.args as [string, string, string];
const threads = () => [...Deno.readDirSync("/proc/self/task")].length;
const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
const create = (id: string, code = 0) =>
  Container.create({ id, root, bundle, config: bundle + "/config-" + code, ${QUIET} });
`;

/** A configuration for each exit code. */
function saveCodes(bundle: Bundle, count: number): void {
  for (let code = 0; code < count; code++) {
    bundle.config.process.args = ["sh", "-c", `exit ${code}`];
    Deno.writeTextFileSync(`${bundle.path}/config-${code}`, JSON.stringify(bundle.config));
  }
}

libraryTest(
  "100 waits at once take one thread, and nothing else waits",
  async (runtime, bundle) => {
    saveCodes(bundle, 100);
    const output = await script(
      `${LOOK}
     // Work of Deno's own, so that its threads are there.
     await Deno.readTextFile("/etc/hostname");
     const all: Container[] = [];
     for (let code = 0; code < Number(count); code++) all.push(await create("JOB" + code, code));
     const before = threads();
     const waits = all.map((container) => container.wait());
     await new Promise((resolve) => setTimeout(resolve, 1));
     console.log("threads:", threads() - before <= 1);
     // Neither files nor processes nor other lifecycles wait.
     await Deno.readTextFile("/etc/hostname");
     const { code } = await new Deno.Command("true").output();
     const other = await create("JOB-other", 3);
     await other.start();
     console.log("others:", code, (await other.wait()).code);
     await other.delete();
     console.log("threads:", threads() - before <= 3);
     await Promise.all(all.map((container) => container.start()));
     const codes = (await Promise.all(waits)).map(({ code }) => code);
     console.log("codes:", codes.every((code, index) => code === index));
     await Promise.all(all.map((container) => container.delete()));`,
      [runtime.root, bundle.path, "100"],
    );
    assertEquals(
      output,
      {
        code: 0,
        stdout: "threads: true\nothers: 0 3\nthreads: true\ncodes: true\n",
        stderr: "",
      },
    );
  },
);

libraryTest("a wait that is ended leaves nothing behind", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  Deno.writeTextFileSync(`${bundle.path}/config-0`, JSON.stringify(bundle.config));
  const output = await script(
    `${LOOK}
     const container = await create("JOB");
     await container.start();
     const process = await container.exec(["sh", "-c", "read line"], { ${QUIET} });
     const sleeping = await container.exec(["sleep", "1000"], { ${QUIET} });
     console.log(await process.wait());
     const ignore = () => {};
     Deno.addSignalListener("SIGUSR2", ignore); // takes a pair of sockets, for good
     await container.wait({ signal: AbortSignal.timeout(5) }).catch(() => {});
     const before = descriptors();
     const reason = new Error("no longer");
     for (const wait of [
       (signal: AbortSignal) => container.wait({ signal }),
       (signal: AbortSignal) => sleeping.wait({ signal }),
     ]) {
       const controller = new AbortController();
       const waits = [wait(controller.signal), wait(controller.signal)];
       setTimeout(() => controller.abort(reason), 5);
       for (const { reason: given } of await Promise.allSettled(waits) as PromiseRejectedResult[]) {
         console.log(given === reason, descriptors() - before);
       }
       console.log(await wait(controller.signal).catch((error) => error === reason));
     }
     const kept = sleeping.wait();
     await container.kill("KILL");
     console.log(await container.wait(), await kept, await container.wait({ signal: AbortSignal.abort() }));
     Deno.removeSignalListener("SIGUSR2", ignore);
     await container.delete();`,
    [runtime.root, bundle.path, "0"],
  );
  const ended = "true 0\ntrue 0\ntrue\n";
  const killed = '{ success: false, code: 137, signal: "SIGKILL" }';
  assertEquals(output, {
    code: 0,
    stdout:
      `{ success: false, code: 1, signal: null }\n${ended}${ended}${killed} ${killed} ${killed}\n`,
    stderr: "",
  });
});

libraryTest("a wait for another command can be ended", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  Deno.writeTextFileSync(`${bundle.path}/config-0`, JSON.stringify(bundle.config));
  const output = await script(
    `${LOOK}
     const container = await create("JOB");
     const lock = await Deno.open(root + "/JOB/lock", { read: true });
     await lock.lock(true);
     const options = { signal: AbortSignal.timeout(30) };
     const before = descriptors();
     for (const wait of [
       () => container.start(options),
       () => container.pause(options),
       () => container.delete({ force: true, ...options }),
       () => start({ root }, { id: "JOB", ...options }),
     ]) {
       const error = await wait().catch((error) => error);
       console.log(error === options.signal.reason, isRuntsError(error));
     }
     console.log((await container.state()).status, descriptors() - before);
     const late = container.start();
     lock.close();
     await late;
     console.log((await container.state()).status);
     await container.delete({ force: true });`,
    [runtime.root, bundle.path, "0"],
  );
  assertEquals(output.stderr, "");
  assertEquals(output.stdout, `${"true false\n".repeat(4)}created 0\nrunning\n`);
});

libraryTest("verbs one after the other leave turns to others", async (runtime, bundle) => {
  saveCodes(bundle, 1);
  const output = await script(
    `${LOOK}
     const all: Container[] = [];
     for (let index = 0; index < 30; index++) all.push(await create("JOB" + index));
     let turns = 0;
     setInterval(() => turns++, 0);
     for (const container of all) await container.state();
     for (const container of all) await container.delete({ force: true });
     console.log(turns > 10);
     Deno.exit();`,
    [runtime.root, bundle.path, "0"],
  );
  assertEquals(output, { code: 0, stdout: "true\n", stderr: "" });
});

libraryTest("no verb holds the event loop up while it waits", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.config.hooks = {
    prestart: [{ path: "/bin/sh", args: ["sh", "-c", "exec sleep 0.3"] }],
    poststart: [{ path: "/bin/sh", args: ["sh", "-c", "exec sleep 0.3"] }],
    poststop: [{ path: "/bin/sh", args: ["sh", "-c", "exec sleep 0.3"] }],
  };
  Deno.writeTextFileSync(`${bundle.path}/config-1`, JSON.stringify(bundle.config));
  const output = await script(
    `${LOOK}
     let turns = 0;
     setInterval(() => turns++, 1);
     const counted = async (work: Promise<unknown>) => {
       const before = turns;
       await work;
       return turns - before;
     };
     const container = await create("JOB", 1);
     console.log(await counted(container.start()) > 20);
     console.log(await counted(container.delete({ force: true })) > 20);
     console.log(await counted(create("JOB", 1).then((made) => made.delete({ force: true }))) > 40);
     Deno.exit();`,
    [runtime.root, bundle.path, "0"],
  );
  assertEquals(output, { code: 0, stdout: "true\ntrue\ntrue\n", stderr: "" });
  assert(!Deno.readDirSync(runtime.root).some(({ name }) => name.startsWith("t")));
});

libraryTest("what is run in the foreground can be ended", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.config.hooks = {
    startContainer: [{ path: "/bin/sh", args: ["sh", "-c", "test ! -e /tmp/slow || sleep 1000"] }],
  };
  bundle.config.mounts.push({
    destination: "/tmp",
    type: "bind",
    source: bundle.path,
    options: ["bind"],
  });
  Deno.writeTextFileSync(`${bundle.path}/config-0`, JSON.stringify(bundle.config));
  const output = await script(
    `${LOOK}
     import { exec, list, run } from "@runts/runts/verbs";
     const soon = () => ({ signal: AbortSignal.timeout(300) });
     const given = async (options: { signal: AbortSignal }, work: Promise<unknown>) =>
       console.log(await work.then((code) => code, (error) => error === options.signal.reason));
     const made = { id: "JOB", bundle, config: bundle + "/config-0", ${QUIET} } as const;
     for (const adoptOrphans of [false, true]) {
       const options = { ...made, ...soon(), adoptOrphans };
       await given(options, run({ root }, options));
       console.log((await list({ root })).length);
     }
     const container = await create("JOB");
     await container.start();
     const options = { id: "JOB", args: ["sleep", "1000"], ${QUIET}, ...soon() } as const;
     await given(options, exec({ root }, options));
     console.log((await container.pids()).length);
     await container.delete({ force: true });
     Deno.writeTextFileSync(bundle + "/slow", "");
     const slow = await create("JOB");
     const little = { signal: AbortSignal.timeout(100) };
     await given(little, slow.start(little));
     console.log((await slow.state()).status);
     await slow.delete({ force: true });`,
    [runtime.root, bundle.path, "0"],
  );
  assertEquals(output, {
    code: 0,
    stdout: "true\n0\ntrue\n0\ntrue\n1\ntrue\nrunning\n",
    stderr: "",
  });
});
