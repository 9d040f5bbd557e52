/** The terminal of a process as a pair of streams. */

import { assertEquals } from "@std/assert";
import { JOB, libraryTest, script } from "../../support/script.ts";

const BEGIN = `
import { Container, lines } from "@runts/runts";
const [root, rootfs] = Deno.args as [string, string];
const type = async (process: any, text: string) => {
  const writer = process.terminal.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
};
`;

libraryTest("a container's terminal is a pair of streams with a size", async (runtime, bundle) => {
  const output = await script(
    `${BEGIN}
     const process = { args: ["sh", "-c", "stty size; read -r x; stty size; cat; echo over"], terminal: true };
     await using box = await Container.create({ id: "JOB", root, spec: { root: { path: rootfs }, process } });
     await box.terminal.resize({ columns: 91, rows: 33 });
     await box.start();
     const said = lines(box.terminal.readable);
     console.log((await said.next()).value);
     await box.terminal.resize({ columns: 100, rows: 20 });
     await type(box, "go\\n");
     console.log((await said.next()).value, (await said.next()).value);
     await type(box, "typed\\n");
     console.log((await said.next()).value, (await said.next()).value);
     await box.terminal.writable.close(); // which ends what cat reads
     for await (const line of said) console.log(line);
     console.log(await box.status);
     console.log(await box.terminal.resize({ columns: 1, rows: 1 }).catch(({ message }) => message));`,
    [runtime.root, bundle.rootfs],
  );
  assertEquals(output, {
    code: 0,
    stdout: "33 91\ngo 20 100\ntyped typed\nover\n{ success: true, code: 0, signal: null }\n" +
      "resize the terminal: it is closed\n",
    stderr: "",
  });
});

libraryTest("exec gives a terminal of a size, and signals by keys", async (runtime, bundle) => {
  const output = await script(
    `${BEGIN}
     const spec = { root: { path: rootfs }, process: { args: ["sleep", "1000"] } };
     await using box = await Container.create({ id: "JOB", root, spec });
     await box.start();
     const script = "stty size; stty -echo; tty; exec sleep 1000";
     await using process = await box.exec(["sh", "-c", script], { terminal: { columns: 70, rows: 9 } });
     const said = lines(process.terminal.readable);
     console.log((await said.next()).value, (await said.next()).value);
     await type(process, "\\x03");
     for await (const line of said) console.log(line);
     console.log((await process.status).signal);
     const asked = box.exec(["true"], { terminal: true, stdout: "piped" });
     console.log(await asked.catch(({ message }) => message));
     await using whole = await box.exec(["echo", "hi"], { terminal: true });
     console.log(new TextDecoder().decode((await whole.output()).stdout) === "hi\\r\\n");`,
    [runtime.root, bundle.rootfs],
  );
  assertEquals(output, {
    code: 0,
    stdout: "9 70 /dev/pts/0\nSIGINT\n" +
      `exec "${JOB}": stdout is chosen, but the process has a terminal: its streams are that of the terminal\n` +
      "true\n",
    stderr: "",
  });
});
