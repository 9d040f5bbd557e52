/** `lxc checkpoint`: a container goes to disk, and comes back. LXC's own needs a kernel that its criu knows. */

import { assertEquals } from "@std/assert";
import { CRIU, CRIU_WORKS } from "../../support/criu.ts";
import { exists } from "../../support/look.ts";
import { lxcLine, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { cgroupsOf, Systems } from "../../support/lxc_system.ts";
import { type Output, until } from "../../support/runtime.ts";
import { Session } from "../../support/session.ts";

/** Keeps a word in its memory, and tells it once it is asked to. */
const KEEPER = `#!/bin/sh
trap 'exit 0' PWR
word=kept
echo booted
while [ ! -e /tmp/go ]; do sleep 0.05; done
echo $word > /tmp/said
echo went on
while :; do sleep 0.05; done
`;

/** One container, and the directory that its images go to. */
class Kept {
  readonly image: string;

  constructor(readonly systems: Systems, readonly name: string) {
    this.image = `${systems.path}/${name}/image`;
  }

  async start(): Promise<void> {
    await this.systems.start(this.name);
    await until("it has booted", () => this.systems.shown(this.name).includes("booted"));
  }

  run(...words: string[]): Promise<Output> {
    return this.systems.run("checkpoint", ...this.#own, ...words);
  }

  get #own(): string[] {
    return ["--criu", CRIU, "-n", this.name, "-D", this.image];
  }

  /** Starts it out of its image, joined to its console. */
  inForeground(): Promise<Session> {
    const line = lxcLine("checkpoint", ["-P", this.systems.path, ...this.#own, "-r", "-F"]);
    return Session.start(line);
  }

  async ok(...words: string[]): Promise<void> {
    assertEquals(await this.run(...words), { code: 0, stdout: "", stderr: "" });
  }

  /** It is the same program that says what it has kept. */
  async assertKept(): Promise<void> {
    const root = this.systems.rootfs(this.name);
    Deno.writeTextFileSync(`${root}/tmp/go`, "");
    await until("it speaks", () => exists(`${root}/tmp/said`));
    assertEquals(await this.systems.inside(this.name, "cat /tmp/said"), "kept\n");
    await until("its console shows it", () => this.systems.shown(this.name).includes("went on"));
  }

  async stop(): Promise<void> {
    await this.systems.ok("stop", "-n", this.name, "-t", "20");
    assertEquals(await this.systems.state(this.name), "STOPPED");
    assertEquals(cgroupsOf(this.name), []);
  }
}

function checkpointTest(
  name: string,
  container: string,
  lines: readonly string[],
  body: (kept: Kept) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: RUNTS_LXC_ONLY.ignore || !CRIU_WORKS,
    fn: async () => {
      await using systems = new Systems();
      systems.add(container, lines, KEEPER);
      const kept = new Kept(systems, container);
      await kept.start();
      await body(kept);
    },
  });
}

checkpointTest("a container goes on beside its image", "ck-goes-on", [], async (kept) => {
  await kept.ok();
  assertEquals(exists(`${kept.image}/inventory.img`), true);
  await kept.assertKept();
  await kept.stop();
});

checkpointTest("a container is stopped, and started where it was", "ck-stops", [], async (kept) => {
  await kept.ok("-s");
  assertEquals(await kept.systems.state(kept.name), "STOPPED");
  assertEquals(cgroupsOf(kept.name), []);
  await kept.ok("-r");
  assertEquals(await kept.systems.state(kept.name), "RUNNING");
  await kept.assertKept();
  await kept.stop();
});

checkpointTest("it comes back in the foreground", "ck-fore", [], async (kept) => {
  await kept.ok("-s");
  await using fore = await kept.inForeground();
  await kept.systems.untilState(kept.name, "RUNNING");
  await kept.assertKept();
  await fore.shows("went on");
  await kept.stop();
  assertEquals(await fore.end(), 0);
});

checkpointTest(
  "devices and addresses are made again",
  "ck-network",
  ["lxc.net.0.type = veth", "lxc.net.0.ipv4.address = 10.77.3.2/24", "lxc.net.0.flags = up"],
  async (kept) => {
    const addresses = () => kept.systems.inside(kept.name, "ip -4 -o addr show dev eth0");
    const before = await addresses();
    assertEquals(before.includes("10.77.3.2/24"), true, before);
    await kept.ok("-s");
    await kept.ok("-r");
    assertEquals((await addresses()).includes("10.77.3.2/24"), true);
    await kept.assertKept();
    await kept.stop();
  },
);

checkpointTest(
  "terminals beside the console are refused",
  "ck-ttys",
  ["lxc.tty.max = 2"],
  async (kept) => {
    const { code, stderr } = await kept.run();
    assertEquals([code, stderr.split(": ").slice(-2).join(": ")], [
      1,
      "criu takes no terminals beside the console: set lxc.tty.max = 0 and start it anew\n",
    ]);
    await kept.stop();
  },
);

checkpointTest("what contradicts itself is refused", "ck-mistakes", [], async (kept) => {
  const message = async (...words: string[]) => (await kept.run(...words)).stderr;
  const begin = "runts: lxc checkpoint: ";
  assertEquals(await message("-r", "-s"), `${begin}--restore contradicts --stop and --pre-dump\n`);
  assertEquals(await message("-F"), `${begin}--foreground is for --restore\n`);
  assertEquals(
    await message("-A", "/bin/true"),
    `${begin}criu runs no action scripts for runts: a configuration file of criu can name one: ` +
      "/etc/criu/runc.conf\n",
  );
  const { code } = await kept.run("-r");
  assertEquals(code, 1);
  await kept.stop();
});
