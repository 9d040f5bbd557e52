/** Hooks: their order, what they are told, and what follows when they fail. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";

const STAGES = ["pre-start", "pre-mount", "mount", "autodev", "start-host", "stop", "post-stop"];

/** A hook that writes down what it is told. */
function writer(systems: Systems): string {
  const path = `${systems.path}/hook`;
  const text =
    `#!/bin/sh\necho "$@ ref=$LXC_TARGET name=$LXC_NAME pid=\${LXC_PID:+set}" >>${systems.path}/told\n`;
  Deno.writeTextFileSync(path, text, { mode: 0o755 });
  return path;
}

function told(systems: Systems): string[] {
  return Deno.readTextFileSync(`${systems.path}/told`).trimEnd().split("\n");
}

Deno.test("hooks run in their order with what LXC tells them", async () => {
  await using systems = new Systems();
  const hook = writer(systems);
  systems.add("hooked", [
    ...STAGES.map((stage) => `lxc.hook.${stage} = ${hook} own`),
    "lxc.hook.start = /bin/started",
  ]);
  const started = `${systems.rootfs("hooked")}/bin/started`;
  Deno.writeTextFileSync(started, "#!/bin/sh\ntouch /tmp/started\n", { mode: 0o755 });
  await systems.start("hooked");
  assert(Deno.statSync(`${systems.rootfs("hooked")}/tmp/started`).isFile);
  await systems.ok("stop", "-n", "hooked", "-k");
  const [stop] = told(systems).filter((line) => line.includes(" stop "));
  assertMatch(
    stop!,
    /^own hooked lxc stop mnt:\/proc\/\d+\/fd\/\d+ pid:.* uts:.* ipc:.* net:.* cgroup:\S+ ref=stop name=hooked pid=/,
  );
  assertEquals(
    told(systems).filter((line) => line !== stop).map((line) => line.replace(/pid=.*/, "")),
    [
      "own hooked lxc pre-start ref= name=hooked ",
      "own hooked lxc pre-mount ref= name=hooked ",
      "own hooked lxc mount ref= name=hooked ",
      "own hooked lxc autodev ref= name=hooked ",
      "own hooked lxc start-host ref= name=hooked ",
      "own hooked lxc post-stop ref=stop name=hooked ",
    ],
  );
});

Deno.test("the stop hook can use the namespaces that it is told of", async () => {
  await using systems = new Systems();
  const hook = `${systems.path}/stopped`;
  const script = `#!/bin/sh
for one in "$@"; do case $one in net:*) readlink "\${one#net:}" >${systems.path}/net;; esac; done
`;
  Deno.writeTextFileSync(hook, script, { mode: 0o755 });
  systems.add("held", [`lxc.hook.stop = ${hook}`]);
  await systems.start("held");
  const inside = await systems.inside("held", "readlink /proc/self/ns/net");
  await systems.ok("stop", "-n", "held", "-k");
  assertEquals(Deno.readTextFileSync(`${systems.path}/net`), inside);
});

Deno.test("a pre-start hook that fails ends the start, and post-stop runs", async () => {
  await using systems = new Systems();
  const hook = writer(systems);
  systems.add("refused", [`lxc.hook.pre-start = /bin/false`, `lxc.hook.post-stop = ${hook}`]);
  assertEquals((await systems.run("start", "-n", "refused")).code, 1);
  assertEquals(await systems.state("refused"), "STOPPED");
  assertMatch(told(systems)[0]!, /refused lxc post-stop ref=stop/);
});

Deno.test({
  name: "a hook that fails is told with its line and what it said",
  ...RUNTS_LXC_ONLY, // these words
  async fn() {
    await using systems = new Systems();
    const hook = `${systems.path}/failing`;
    Deno.writeTextFileSync(hook, "#!/bin/sh\necho oh no >&2\nexit 3\n", { mode: 0o755 });
    for (const [index, stage] of ["pre-start", "pre-mount", "mount", "start-host"].entries()) {
      const name = `failing-${index}`;
      systems.add(name, [`lxc.hook.${stage} = ${hook}`]);
      const { code, stderr } = await systems.run("start", "-n", name);
      assertEquals(code, 1);
      assertMatch(
        stderr.trimEnd().split("\n").at(-1)!,
        new RegExp(`/${name}/config:8: lxc.hook.${stage}.*hook.*exit status 3.*oh no`),
        stage,
      );
    }
  },
});
