/** What goes wrong with one command is nothing to the others that a warm brain carries out. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { idle, tell, type Told } from "../../support/cold.ts";
import { hook } from "../../support/hooks.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { exists } from "../../support/look.ts";
import { HungDirectory } from "../../support/hung.ts";
import { command, RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";
import { askAs } from "../../support/warm_client.ts";

const WARM = { code: 0, stdout: "", stderr: "", cold: false };

/** A brain, and containers of one root. */
class Faults implements AsyncDisposable {
  private constructor(
    readonly runtime: TestRuntime,
    readonly brain: WarmBrain,
    readonly bundle: Bundle,
  ) {}

  static async make(
    runtime: TestRuntime,
    edit: (config: Config, bundle: Bundle) => void = () => {},
  ): Promise<Faults> {
    const bundle = new Bundle(idle);
    edit(bundle.config, bundle);
    bundle.save();
    return new Faults(runtime, await WarmBrain.start(), bundle);
  }

  words(args: readonly string[]): string[] {
    return ["--root", this.runtime.root, ...args];
  }

  call(...args: string[]): Promise<Told> {
    return tell(this.words(args), this.brain.words);
  }

  /** Another command is carried out meanwhile. */
  async assertServes(): Promise<void> {
    const found = await this.call("list", "--quiet", "--filter", "name=none");
    assertEquals({ ...found, stdout: "" }, { code: 0, stdout: "", stderr: "", cold: false });
  }

  /**
   * Starts a command that does not come to its end; `serves` runs once the brain is at work on it. Then
   * the command is ended, and the brain has nothing to do with it any more.
   */
  async whileStuck(line: readonly string[], serves = () => this.assertServes()): Promise<void> {
    const before = await this.brain.ownDescriptors();
    const stuck = new Deno.Command(line[0]!, {
      args: line.slice(1),
      ...{ env: { ...this.brain.env }, stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    await until("the brain is at work", async () => await this.brain.atWork() === 1);
    await serves();
    assertEquals(await this.brain.atWork(), 1);
    stuck.kill("SIGKILL");
    await stuck.status;
    await until("the brain has done with it", async () => await this.brain.atWork() === 0);
    await this.brain.assertDescriptors(before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.bundle[Symbol.dispose]();
    await this.brain[Symbol.asyncDispose]();
  }
}

function faultTest(
  name: string,
  body: (runtime: TestRuntime) => Promise<void>,
): void {
  Deno.test({ ...RUNTS_ONLY, name, fn: () => withRuntime(body) });
}

/** Cold and warm say the same. */
async function assertSame(faults: Faults, args: readonly string[], code: number): Promise<void> {
  const cold = await tell(faults.words(args), ["RUNTS_TEST_COLD=1"]);
  assertEquals([cold.code, cold.cold], [code, true], cold.stderr);
  assertEquals(await faults.call(...args), { ...cold, cold: false });
}

faultTest(
  "a limit that is refused while init is at work leaves nothing of either",
  async (runtime) => {
    await using faults = await Faults.make(runtime, (config) => {
      config.linux.resources = { ...config.linux.resources, cpu: { cpus: "4095" } };
    });
    await assertSame(faults, ["create", "--bundle", faults.bundle.path, runtime.id()], 1);
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
  },
);

faultTest("a hook that never ends", async (runtime) => {
  await using faults = await Faults.make(runtime, (config) => {
    // It is left alone when its front is killed, and ends with the bundle, in which it runs.
    config.hooks = { createRuntime: [hook("while [ -e config.json ]; do sleep 0.05; done")] };
  });
  const id = runtime.id();
  const create = ["create", "--bundle", faults.bundle.path, id];
  await faults.assertServes();
  await faults.whileStuck([RUNTIME, ...faults.words(create)]);
  await runtime.assertRemovable(id);
});

faultTest(
  "a configuration that is a fifo without a writer, and one whose writer says nothing",
  async (runtime) => {
    await using faults = await Faults.make(runtime);
    const file = `${faults.bundle.path}/config.json`;
    Deno.removeSync(file);
    await command(["mkfifo", file]);
    const create = ["create", "--bundle", faults.bundle.path, runtime.id()];
    await assertSame(faults, create, 1);
    using _writer = await Deno.open(file, { read: true, write: true });
    await faults.whileStuck([RUNTIME, ...faults.words(create)]);
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
  },
);

faultTest("a caller that never reads", async (runtime) => {
  await using faults = await Faults.make(runtime);
  // More than a pipe takes, which nobody reads.
  const script = 'exec 3>&1; yes | head -c 65536 >&3; exec "$@"';
  const line = ["bash", "-c", `(${script}) | exec sleep 1000`, "bash", RUNTIME];
  const features = faults.words(["features"]);
  await faults.assertServes();
  const stuck = new Deno.Command("setsid", {
    args: [...line, ...features],
    ...{ env: { ...faults.brain.env }, stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  try {
    await until("the brain is at work", async () => await faults.brain.atWork() === 1);
    await faults.assertServes();
  } finally {
    Deno.kill(-stuck.pid, "SIGKILL");
    await stuck.status;
  }
  await until("the brain has done with it", async () => await faults.brain.atWork() === 0);
});

faultTest("a file system that does not answer", async (runtime) => {
  await using faults = await Faults.make(runtime);
  await using hung = await HungDirectory.make();
  const create = ["create", "--bundle", `${hung.path}/bundle`, runtime.id()];
  // Once it is killed while it waits; and once the server ends, and says so.
  await faults.whileStuck([RUNTIME, ...faults.words(create)]);
  const stuck = tell(faults.words(create), faults.brain.words);
  await until("the brain is at work", async () => await faults.brain.atWork() === 1);
  await faults.assertServes();
  await hung.abort();
  const { code, stderr } = await stuck;
  assertEquals(code, 1);
  assertMatch(stderr, /^runts: create ".*E[A-Z]+ .*\n$/);
});

faultTest("16 MiB of configuration, and more than is read", async (runtime) => {
  await using faults = await Faults.make(runtime);
  const file = `${faults.bundle.path}/config.json`;
  const text = Deno.readTextFileSync(file);
  const create = ["create", "--bundle", faults.bundle.path];
  const id = runtime.id();
  Deno.writeTextFileSync(file, text + " ".repeat(16 << 20));
  assertEquals(await faults.call(...create, id), WARM);
  await runtime.ok(["delete", "--force", id]);
  Deno.truncateSync(file, (64 << 20) + 1);
  await assertSame(faults, [...create, id], 1);
});

faultTest("2 MiB of arguments and variables", async (runtime) => {
  await using faults = await Faults.make(runtime, (config) => config.root.readonly = false);
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", faults.bundle.path, id]);
  await runtime.ok(["start", id]);
  const long = "y".repeat(100_000);
  const script = "echo $# ${#1} >/tmp/part; mv /tmp/part /tmp/counted".replace("mv", "busybox mv");
  const words = ["exec", "--detach", id, "sh", "-c", script, "sh", ...new Array(10).fill(long)];
  const variables = Array.from({ length: 9 }, (_, index) => `LONG${index}=${long}`);
  const line = faults.words(words);
  assertEquals(await tell(line, [...faults.brain.words, ...variables]), WARM);
  const file = `${faults.bundle.rootfs}/tmp/counted`;
  await until("it has counted", () => exists(file));
  assertEquals(Deno.readTextFileSync(file), "10 100000\n");
  await runtime.ok(["delete", "--force", id]);
});

faultTest("a front that says what nobody has asked for", async (runtime) => {
  await using faults = await Faults.make(runtime);
  await faults.assertServes();
  const before = await faults.brain.ownDescriptors();
  assertEquals(await askAs(faults.brain.directory, "nonsense"), ["accept", "eof"]);
  await faults.assertServes();
  await faults.brain.assertDescriptors(before);
});

faultTest("some hundred commands at a time leave nothing in the brain", async (runtime) => {
  await using faults = await Faults.make(runtime);
  const { brain, bundle } = faults;
  const life = async (id: string) => {
    const lines = [
      ["create", "--bundle", bundle.path, id],
      ["start", id],
      ["exec", "--detach", id, "true"],
      ["ps", "--format", "json", id],
      ["kill", "--all", id, "KILL"],
      ["state", "nobody"],
      ["delete", "--force", id],
    ];
    for (const line of lines) {
      const { code, stderr, cold } = await faults.call(...line);
      const failed = line.includes("nobody") ? 1 : 0;
      assertEquals({ line, code, cold }, { line, code: failed, cold: false }, stderr);
    }
  };
  await life(runtime.id());
  const before = await brain.ownDescriptors();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let round = 0; round < 5; round++) await life(runtime.id());
  }));
  await brain.assertDescriptors(before);
  const children = await Deno.readTextFile(`/proc/${brain.pid}/task/${brain.pid}/children`);
  assertEquals(children, "");
  assert(await brain.isServing());
});
