/**
 * A system container with a configuration of LXC's: it is booted, scripted and stopped.
 *
 *     deno run -A examples/system.ts [ROOTFS [STATE_ROOT]]
 */

import { System } from "@runts/runts";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;

const lxcpath = await Deno.makeTempDir({ prefix: "systems-" });
await Deno.mkdir(`${lxcpath}/web/up`, { recursive: true });
await Deno.writeTextFile(
  `${lxcpath}/web/config`,
  `lxc.rootfs.path = overlay:${path}:${lxcpath}/web/up
lxc.uts.name = web
lxc.net.0.type = empty
lxc.mount.auto = proc sys
lxc.tty.max = 1
lxc.environment = GREETING=hello
`,
);

const web = System.open("web", { lxcpath, root });
console.log(`what is wrong with it: ${(await web.check()).length} things`);

const seen: string[] = [];
const watching = (async () => {
  for await (const state of web.states()) {
    seen.push(state);
    if (state === "STOPPED") return;
  }
})();

// An init that does nothing but wait for a line; a real one is /sbin/init.
const init = 'trap "exit 0" PWR; read line; echo "$GREETING, $line"; while :; do sleep 0.1; done';
await web.start({ command: ["/bin/sh", "-c", init] });
console.log(`it is ${web.state}`);

{
  using terminal = await web.console(0);
  const writer = terminal.writable.getWriter();
  await writer.write(new TextEncoder().encode("world\n"));
  let text = "";
  for await (const bytes of terminal.readable) {
    text += new TextDecoder().decode(bytes);
    if (text.includes("hello, world")) break;
  }
  console.log(`on its console: ${text.trim().split(/\s*\n/).at(-1)}`);
}

const { stdout, code } = await web.run(["sh", "-c", "hostname; exit 3"]);
console.log(`${stdout.trim()} gave ${code}`);

await web.freeze();
console.log(`it is ${web.state}`);
await web.unfreeze();

await web.stop({ timeout: 10_000 });
await watching;
console.log(`it went through ${seen.join(", ")}`);
await Deno.remove(lxcpath, { recursive: true });
