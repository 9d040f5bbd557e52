/** Standard streams of containers and their processes as Web streams. */

import { assertEquals } from "@std/assert";
import type { Bundle } from "../../support/bundle.ts";
import type { TestRuntime } from "../../support/host.ts";
import { JOB, libraryTest, script } from "../../support/script.ts";

/** What every script here begins with. */
const BEGIN = `
import { Container, lines } from "@runts/runts";
const [root, rootfs] = Deno.args as [string, string];
const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
const threads = () => [...Deno.readDirSync("/proc/self/task")].length;
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const spec = (...args: string[]) => ({ root: { path: rootfs }, process: { args } });
const sh = (text: string) => spec("sh", "-c", text);
`;

/** A script with a bundle's root filesystem that must print this, and nothing else. */
function streamTest(name: string, text: string, expected: string, check = "--no-check"): void {
  libraryTest(name, async (runtime: TestRuntime, bundle: Bundle) => {
    const output = await script(BEGIN + text, [runtime.root, bundle.rootfs], check);
    const stderr = check === "--check" ? "Check script.ts\n" : "";
    assertEquals(output, { code: 0, stdout: expected, stderr });
  });
}

streamTest(
  "piped streams are read and written, and types fit",
  `await using box = await Container.create({
     id: "JOB", root, spec: sh("cat; echo err >&2; exit 3"),
     stdin: "piped", stdout: "piped", stderr: "piped",
   });
   await box.start();
   const writer: WritableStreamDefaultWriter<Uint8Array> = box.stdin.getWriter();
   await writer.write(encode("one\\r\\ntwo\\n"));
   await writer.write(encode("th\\u00e4ree"));
   await writer.close();
   for await (const line of lines(box.stdout)) console.log(JSON.stringify(line));
   const text: string = await box.stderr.text();
   const { success, code, signal } = await box.status;
   console.log(text.trim(), success, code, signal);`,
  '"one"\n"two"\n"thäree"\nerr false 3 null\n',
  "--check",
);

streamTest(
  "output has all of it, and how the process ended",
  `await using box = await Container.create({
     id: "JOB", root, spec: spec("sleep", "1000"), stdin: "null", stdout: "null", stderr: "null",
   });
   await box.start();
   await using process = await box.exec(
     ["sh", "-c", 'head -c 20000000 /dev/zero; echo "$A $PATH" >&2; kill -9 $$'],
     { stdout: "piped", stderr: "piped", env: { A: "b c" } },
   );
   const { stdout, stderr, ...status } = await process.output();
   console.log(stdout.length, stdout.every((byte) => byte === 0), decode(stderr).trim(), status);
   await using quiet = await box.exec(["true"], { stderr: "piped" });
   console.log(await quiet.output());`,
  "20000000 true b c /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin " +
    '{ success: false, code: 137, signal: "SIGKILL" }\n' +
    "{\n  success: true,\n  code: 0,\n  signal: null,\n  stdout: Uint8Array(0) [],\n" +
    "  stderr: Uint8Array(0) []\n}\n",
);

streamTest(
  "streams are of bytes, and parse what they bring",
  `await using box = await Container.create({
     id: "JOB", root, spec: sh('echo "abcdef{}"'), stdout: "piped", stderr: "piped",
   });
   await box.start();
   const reader = box.stdout.getReader({ mode: "byob" });
   const { value } = await reader.read(new Uint8Array(6));
   console.log(decode(value!));
   reader.releaseLock();
   console.log(await box.stdout.json(), (await box.stderr.arrayBuffer()).byteLength);`,
  "abcdef\n{} 0\n",
);

streamTest(
  "neither side runs ahead of the other",
  `await using box = await Container.create({
     id: "JOB", root, spec: sh("head -c 3000000 /dev/zero; exec sleep 1000"),
     stdin: "piped", stdout: "piped",
   });
   await box.start();
   let written = false;
   const writing = box.stdin.getWriter().write(new Uint8Array(3_000_000))
     .then(() => written = true, (error) => error.message);
   console.log((await readSome(box.stdout, 3_000_000)).length, written);
   await box.kill("KILL");
   console.log(await writing, (await box.stdout.bytes()).length, (await box.status).signal);
   async function readSome(stream: ReadableStream<Uint8Array>, length: number) {
     const reader = stream.getReader({ mode: "byob" });
     const { value } = await reader.read(new Uint8Array(length), { min: length });
     reader.releaseLock();
     return value!;
   }`,
  "3000000 false\nwrite to a stream: EPIPE (broken pipe) 0 SIGKILL\n",
);

streamTest(
  "a stream that is cancelled is a broken pipe for the program",
  `await using box = await Container.create({
     id: "JOB", root, spec: spec("yes"), stdout: "piped", stderr: "null",
   });
   await box.start();
   for await (const line of lines(box.stdout)) {
     console.log(line);
     break;
   }
   console.log((await box.status).success);
   await using more = await Container.create({ id: "JOB-2", root, spec: spec("cat"), stdin: "piped" });
   await more.start();
   await more.stdin.abort();
   console.log((await more.status).code);`,
  "y\nfalse\n0\n",
);

streamTest(
  "streams are null, inherited, or open descriptors",
  `import { closeSync, openSync } from "node:fs";
   const file = openSync(rootfs + "/out", "w+");
   await using box = await Container.create({
     id: "JOB", root, spec: sh("readlink /proc/self/fd/0; echo said; echo err >&2"),
     stdin: "null", stdout: file, stderr: file,
   });
   await box.start();
   await box.status;
   closeSync(file);
   console.log(Deno.readTextFileSync(rootfs + "/out").trim());
   await using second = await Container.create({ id: "JOB-2", root, spec: sh("echo mine"), stdin: "null" });
   await second.start();
   await second.status;`,
  "/dev/null\nsaid\nerr\nmine\n",
);

streamTest(
  "streams take no threads, and leave nothing open",
  `await Deno.readTextFile("/etc/hostname");
   const ignore = () => {};
   Deno.addSignalListener("SIGUSR2", ignore); // takes a pair of sockets, for good
   const piped = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
   const box = await Container.create({ id: "JOB", root, spec: spec("sleep", "1000") });
   await box.start();
   await using first = await box.exec(["cat"], piped);
   await first.stdin.close();
   await first.output();
   const [before, running] = [descriptors(), threads()];
   const cats = await Promise.all(Array.from({ length: 40 }, () => box.exec(["cat"], piped)));
   const texts = cats.map((cat) => cat.stdout.text());
   await Deno.readTextFile("/etc/hostname");
   console.log(threads() - running <= 4);
   await Promise.all(cats.map(async ({ stdin }, index) => {
     const writer = stdin.getWriter();
     await writer.write(encode("cat " + index));
     await writer.close();
   }));
   console.log((await Promise.all(texts)).every((text, index) => text === "cat " + index));
   for (const cat of cats) await cat[Symbol.asyncDispose]();
   // Nobody has read or written these.
   for (let round = 0; round < 10; round++) {
     await using _unread = await box.exec(["cat"], piped);
   }
   console.log(descriptors() - before);
   await box.delete({ force: true });
   const failing = { id: "JOB", root, spec: spec("/none"), ...piped };
   await Container.create(failing).catch((error) => console.log(error.message));
   for (let round = 0; round < 5; round++) await Container.create(failing).catch(() => {});
   console.log(descriptors() - before);
   Deno.removeSignalListener("SIGUSR2", ignore);`,
  `true\ntrue\n0\ncreate "${JOB}": process.args[0]: exec: "/none": ` +
    "stat /none: no such file or directory\n-1\n",
);

streamTest(
  "what is disposed of has ended, and waits can be given up",
  `await using box = await Container.create({ id: "JOB", root, spec: spec("sleep", "1000") });
   await box.start();
   let pid: number;
   {
     await using process = await box.exec(["sleep", "1000"], { stdout: "piped" });
     pid = process.pid;
     const reason = new Error("no longer");
     const controller = new AbortController();
     setTimeout(() => controller.abort(reason), 20);
     for (const wait of [
       () => process.output(controller),
       () => process.wait(controller),
       () => box.exec(["sleep", "1000"], { signal: controller.signal }),
     ]) console.log(await wait().catch((error) => error === reason));
     await process.kill("STOP");
     await process.kill(18);
   }
   console.log((await box.pids()).includes(pid), (await box.pids()).length);
   const ended = await box.exec(["true"]);
   console.log((await ended.status).success, await ended.kill().catch(({ message }) =>
     message.replace(String(ended.pid), "PID")));`,
  `true\ntrue\ntrue\nfalse 1\ntrue kill "${JOB}": process PID has ended\n`,
);

libraryTest("a create that is given up leaves nothing", async (runtime, bundle) => {
  bundle.config.hooks = {
    createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "exec sleep 1000"] }],
  };
  bundle.save();
  const output = await script(
    `import { Container, containers } from "@runts/runts";
     const [root, bundle] = Deno.args as [string, string];
     const signal = AbortSignal.timeout(20);
     const options = { id: "JOB", root, bundle, signal, stdout: "piped" } as const;
     console.log(await Container.create(options).catch((error) => error === signal.reason));
     console.log(await Container.create(options).catch((error) => error === signal.reason));
     console.log(await Array.fromAsync(containers({ root })));`,
    [runtime.root, bundle.path],
  );
  assertEquals(output, { code: 0, stdout: "true\ntrue\n[]\n", stderr: "" });
});
