/**
 * A shell in a container on the terminal of this script: keys go in, output comes out, and the window's size
 * follows. Without a terminal it takes what the standard input brings.
 *
 *     deno run -A examples/terminal.ts [ROOTFS [STATE_ROOT]]
 */

import { Container } from "@runts/runts";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;

await using box = await Container.create({
  id: `shell-${Deno.pid}`,
  root,
  spec: { root: { path }, process: { args: ["sh"], terminal: true } },
});
const { terminal } = box;

const isTerminal = Deno.stdin.isTerminal();
const resize = () => terminal.resize(Deno.consoleSize()).catch(() => {}); // it may have ended
if (isTerminal) {
  Deno.stdin.setRaw(true);
  await resize();
  Deno.addSignalListener("SIGWINCH", resize);
}
try {
  await box.start();
  Deno.stdin.readable.pipeTo(terminal.writable).catch(() => {}); // until the shell ends
  await terminal.readable.pipeTo(Deno.stdout.writable, { preventClose: true });
} finally {
  if (isTerminal) Deno.stdin.setRaw(false);
}
const { code } = await box.status;
await box.delete();
Deno.exit(code);
