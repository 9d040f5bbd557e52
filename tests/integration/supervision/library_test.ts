/** Supervised containers in scripts. */

import { assertEquals } from "@std/assert";
import { JOB, libraryTest, script } from "../../support/script.ts";
import { eventTypes } from "../../support/supervised.ts";

libraryTest("a container outlives the script that made it", async (runtime, bundle) => {
  const later = (file: string) => `until [ -e /tmp/${file} ]; do sleep 0.02; done`;
  bundle.config.process.args = ["sh", "-c", `echo one; echo two >&2; ${later("end")}; exit 5`];
  bundle.save();
  const made = await script(
    `import { Container } from "@runts/runts";
     const [root, bundle] = Deno.args;
     const supervised = { labels: { app: "shop" }, log: { driver: "json-file" } } as const;
     const container = await Container.create({ id: "JOB", bundle, root, supervised });
     await container.start();
     const process = await container.execSupervised(["sh", "-c", "${later("go")}; exit 4"]);
     console.log(process.name, process.pid > 0);
     Deno.kill(Deno.pid, "SIGKILL");`,
    [runtime.root, bundle.path],
  );
  assertEquals(made.stdout, "exec-1 true\n", made.stderr);
  Deno.writeTextFileSync(`${bundle.rootfs}/tmp/go`, "");
  const seen = await script(
    `import { Container } from "@runts/runts";
     import { wait } from "@runts/runts/verbs";
     const [root, end] = Deno.args;
     const container = await Container.open("JOB", { root });
     const { code } = await wait({ root }, { id: "JOB", process: "exec-1" });
     Deno.writeTextFileSync(end, "");
     console.log(code, (await container.wait()).code);
     for await (const { stream, text } of container.logs()) console.log(stream, text);
     const { supervision: { labels }, processes } = await container.inspect();
     console.log(labels, processes.map(({ name, exit }) => [name, exit?.code]));
     await container.delete();`,
    [runtime.root, `${bundle.rootfs}/tmp/end`],
  );
  const lines = seen.stdout.trimEnd().split("\n");
  assertEquals(lines.slice(0, 1), ["4 5"], seen.stderr);
  assertEquals(lines.slice(1, 3).sort(), ["stderr two", "stdout one"]);
  assertEquals(lines.slice(3), ['{ app: "shop" } [ [ "init", 5 ], [ "exec-1", 4 ] ]']);
  assertEquals(eventTypes(runtime, JOB), ["created", "started", "exited", "removed"]);
});

libraryTest("output comes in its order, if that matters", async (runtime, bundle) => {
  bundle.config.process.args = ["cat"];
  bundle.save();
  const output = await script(
    `import { Container } from "@runts/runts";
     const [root, bundle] = Deno.args;
     const supervised = { interactive: true };
     await using container = await Container.create({ id: "JOB", bundle, root, supervised });
     await container.start();
     {
       using streams = await container.attach();
       await streams.stdin.getWriter().write(new TextEncoder().encode("first\\n"));
       for await (const output of streams.output()) {
         if ("bytes" in output) console.log(new TextDecoder().decode(output.bytes).trim());
         break;
       }
     }
     using again = await container.attach();
     await again.stdin.getWriter().write(new TextEncoder().encode("second\\n"));
     await container.closeStdin();
     for await (const output of again.output()) {
       if ("bytes" in output) console.log(new TextDecoder().decode(output.bytes).trim());
     }
     console.log(await container.wait());`,
    [runtime.root, bundle.path],
  );
  assertEquals(output.stdout, "first\nsecond\n" + EXITED, output.stderr);
});

const EXITED = "{ success: true, code: 0, signal: null }\n";

libraryTest("restarts, and a stop that ends them", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "exit 1"];
  bundle.save();
  const output = await script(
    `import { Container, supervisionEvents } from "@runts/runts";
     const [root, bundle] = Deno.args;
     const supervised = { restart: "always", restartDelay: 20 };
     await using container = await Container.create({ id: "JOB", bundle, root, supervised });
     const events = supervisionEvents({ root }, { id: "JOB", follow: true, since: 0 });
     await container.start();
     const types = [];
     for await (const { type } of events) {
       types.push(type);
       if (types.length === 7) break;
     }
     console.log(types.join(" "));
     await container.stop();
     console.log((await container.wait()).code, (await container.state()).status);`,
    [runtime.root, bundle.path],
  );
  assertEquals(
    output.stdout,
    "created started exited restarting started exited restarting\n1 stopped\n",
    output.stderr,
  );
});

libraryTest(
  "a log that somebody has renamed is opened anew on request",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sh", "-c", "echo one; read go; echo two"];
    bundle.save();
    const output = await script(
      `import { Container } from "@runts/runts";
     const [root, bundle] = Deno.args;
     const supervised = { interactive: true, log: { driver: "raw" } };
     await using container = await Container.create({ id: "JOB", bundle, root, supervised });
     await container.start();
     const log = root + "/" + container.id + "/output.log";
     for await (const { text } of container.logs({ follow: true })) if (text === "one") break;
     await Deno.rename(log, log + ".old");
     await container.reopenLog();
     await container.closeStdin();
     await container.wait();
     console.log([await Deno.readTextFile(log + ".old"), await Deno.readTextFile(log)]);`,
      [runtime.root, bundle.path],
    );
    assertEquals(output.stdout, '[ "one\\n", "two\\n" ]\n', output.stderr);
  },
);
