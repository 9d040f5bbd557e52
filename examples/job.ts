/**
 * A job with a time limit, and what it has written.
 *
 *     deno run -A examples/job.ts [ROOTFS [STATE_ROOT]]
 */

import { Container } from "@runts/runts";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;

/** Runs a shell script; ends it when it takes longer than `limit` milliseconds. */
async function job(script: string, limit: number): Promise<string> {
  await using box = await Container.create({
    id: `job-${crypto.randomUUID()}`,
    root,
    spec: { root: { path }, process: { args: ["sh", "-c", script] } },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  await box.start();
  const { success, code, stdout, stderr } = await box.output({
    signal: AbortSignal.timeout(limit),
  });
  if (!success) throw new Error(`it ended with ${code}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

const scripts = ["echo all is well", "echo oh no >&2; exit 3", "echo slow; sleep 1000"];
for (const script of scripts) {
  try {
    console.log(`${script}: ${(await job(script, 2000)).trim()}`);
  } catch (error) {
    console.log(`${script}: ${(error as Error).message.trim()}`);
  }
}
