/** The streams of supervised programs in scripts. */

import { assertEquals, assertMatch } from "@std/assert";
import { libraryTest, script } from "../../support/script.ts";

const PRELUDE = `
import { Container } from "@runts/runts";
const [root, bundle] = Deno.args;
const encode = (text) => new TextEncoder().encode(text);
const make = (supervised) => Container.create({ id: "JOB", bundle, root, supervised });
`;

libraryTest("whoever attaches before the start has all of it", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "cat; echo end >&2; exit 3"];
  bundle.save();
  const { stdout, stderr } = await script(
    `${PRELUDE}
     await using container = await make({ interactive: true });
     using attached = await container.attach();
     await container.start();
     const writer = attached.stdin.getWriter();
     await writer.write(encode("one\\n"));
     await writer.write(encode("two\\n"));
     await writer.close();
     console.log(await Promise.all([attached.stdout.text(), attached.stderr.text()]));
     console.log((await container.wait()).code, attached.lost);`,
    [runtime.root, bundle.path],
  );
  assertEquals(stdout, '[ "one\\ntwo\\n", "end\\n" ]\n3 0n\n', stderr);
});

libraryTest("input waits for the program, and all of it arrives", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "read go; wc -c"];
  bundle.save();
  const { stdout, stderr } = await script(
    `${PRELUDE}
     await using container = await make({ interactive: true });
     using attached = await container.attach();
     const writer = attached.stdin.getWriter();
     // The program does not run yet, so nobody takes it.
     const size = 1 << 20;
     let written = 0;
     const much = (async () => {
       await writer.write(encode("go\\n"));
       for (let i = 0; i < 8; i++, written++) await writer.write(new Uint8Array(size));
       await writer.close();
     })();
     for (let i = 0; i < 20; i++) await container.inspect();
     console.log(written);
     await container.start();
     await much;
     console.log((await attached.stdout.text()).trim() === String(8 * size));`,
    [runtime.root, bundle.path],
  );
  assertEquals(stdout, "0\ntrue\n", stderr);
});

libraryTest("a slow reader loses output, and knows how much", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "head -c 8000000 /dev/zero; read go; echo $go"];
  bundle.save();
  const { stdout, stderr } = await script(
    `${PRELUDE}
     await using container = await make({ interactive: true, log: { driver: "raw" } });
     using attached = await container.attach();
     await container.start();
     const log = root + "/" + container.id + "/output.log";
     while ((await Deno.stat(log)).size < 8_000_000) await new Promise((go) => setTimeout(go, 5));
     const reader = attached.stdout.getReader();
     let read = 0, told = 0n, pending;
     // It is told as soon as there is room: nothing more has been said.
     while (BigInt(read) + told < 8_000_000n) {
       const patience = new Promise((go) => setTimeout(go, 5));
       pending ??= reader.read();
       const got = await Promise.race([pending, patience]);
       if (got) {
         read += got.value.length;
         pending = undefined;
       }
       told = attached.lost;
     }
     console.log(told > 0n, BigInt(read) + told);
     const writer = attached.stdin.getWriter();
     await writer.write(encode("go\\n"));
     console.log(new TextDecoder().decode((await (pending ?? reader.read())).value));`,
    [runtime.root, bundle.path],
  );
  assertEquals(stdout, "true 8000000n\ngo\n\n", stderr);
});

libraryTest("a terminal has a size, an end of input, and a memory", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "read word; stty size; cat; echo end"];
  bundle.config.process.terminal = true;
  bundle.save();
  const { stdout, stderr } = await script(
    `${PRELUDE}
     await using container = await make({});
     await container.start();
     {
       using attached = await container.attach();
       await attached.resize({ columns: 99, rows: 33 });
       const writer = attached.stdin.getWriter();
       await writer.write(encode("word\\n"));
       let text = "";
       for await (const chunk of attached.stdout) {
         text += new TextDecoder().decode(chunk);
         if (text.includes("33 99")) break;
       }
     }
     console.log((await container.state()).status);
     using again = await container.attach();
     await again.stdin.close();
     console.log(JSON.stringify(await again.stdout.text()));
     console.log((await container.wait()).code);`,
    [runtime.root, bundle.path],
  );
  const [state, text, code] = stdout.split("\n");
  assertEquals([state, code], ["running", "0"], stderr);
  assertMatch(text!, /^"word\\r\\n33 99\\r\\n.*end\\r\\n"$/);
});

libraryTest("a detach ends what is read, and the program goes on", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.save();
  const { stdout, stderr } = await script(
    `${PRELUDE}
     await using container = await make({});
     await container.start();
     const attached = await container.attach({ stdin: false });
     const text = attached.stdout.text();
     attached[Symbol.dispose]();
     console.log([await text], (await container.state()).status);
     try {
       attached.stdin;
     } catch (error) {
       console.log(error.message);
     }
     const closed = await container.attach();
     closed[Symbol.dispose]();
     await closed.stdin.getWriter().write(encode("late")).catch((error) => console.log(error.message));`,
    [runtime.root, bundle.path],
  );
  assertEquals(stdout.split("\n"), [
    '[ "" ] running',
    "stdin is not attached: attach with stdin: true",
    "detach: EPIPE (broken pipe)",
    "",
  ], stderr);
});

libraryTest("an exec may have its streams from the beginning", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.save();
  const { stdout, stderr } = await script(
    `${PRELUDE}
     await using container = await make({});
     await container.start();
     const words = ["sh", "-c", "cat; echo end >&2; exit 4"];
     const process = await container.execSupervised(words, { interactive: true, attach: true });
     await process.streams.stdin.getWriter().write(encode("in"));
     await process.closeStdin();
     const { stdout, stderr } = process.streams;
     console.log(process.name, await stdout.text(), await stderr.text(), (await process.status).code);
     const other = await container.execSupervised(["sleep", "1000"]);
     try {
       other.streams;
     } catch (error) {
       console.log(error.message);
     }
     await container.kill("KILL");
     console.log((await other.status).code);`,
    [runtime.root, bundle.path],
  );
  assertEquals(stdout.split("\n"), [
    "exec-1 in end",
    " 4",
    "the streams are not attached: make the process with attach: true, or use attach()",
    "137",
    "",
  ], stderr);
});
