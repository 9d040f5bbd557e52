/**
 * A test fixture: every test gets a container of its own, and none is left, whatever becomes of the test.
 *
 *     ROOTFS=/srv/busybox deno test -A examples/fixture.ts
 */

import { Container } from "@runts/runts";

const path = Deno.env.get("ROOTFS") ?? "/srv/busybox";
const root = Deno.env.get("STATE_ROOT") ?? "/run/runts";

/** A test with a container that runs, in which it may do what it likes. */
function containerTest(name: string, body: (box: Container) => Promise<void>): void {
  Deno.test(name, async () => {
    await using box = await Container.create({
      id: `test-${crypto.randomUUID()}`,
      root,
      spec: {
        root: { path },
        process: { args: ["sleep", "1000"] },
        mounts: [
          { destination: "/proc", type: "proc", source: "proc" },
          { destination: "/tmp", type: "tmpfs", source: "tmpfs" },
        ],
      },
      stdin: "null",
    });
    await box.start();
    await body(box);
  });
}

/** What a command prints in the container. Throws when it fails. */
async function output(box: Container, ...args: string[]): Promise<string> {
  await using process = await box.exec(args, { stdin: "null", stdout: "piped" });
  const { success, code, stdout } = await process.output();
  if (!success) throw new Error(`${args.join(" ")} ended with ${code}`);
  return new TextDecoder().decode(stdout);
}

containerTest("a file is there once it was written", async (box) => {
  await output(box, "sh", "-c", "echo hello > /tmp/file");
  const text = await output(box, "cat", "/tmp/file");
  if (text !== "hello\n") throw new Error(`it holds ${text}`);
});

containerTest("no other test has left anything", async (box) => {
  const text = await output(box, "ls", "/tmp");
  if (text !== "") throw new Error(`there is ${text}`);
});
