/** A life by the front and the same by Deno, step by step. */

import { assert, assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { idle, tell, tellCold, type Told } from "../../support/cold.ts";
import { hook } from "../../support/hooks.ts";
import { cgroupDirectories, runtimeTest, type TestRuntime } from "../../support/host.ts";
import { RUNTS_ONLY, until } from "../../support/runtime.ts";

/** What is there of a container, without what differs from one to the next. */
function seen(runtime: TestRuntime, id: string): string[] {
  const files = entries(`${runtime.root}/${id}`).map((name) => `file ${name}`);
  const cgroups = cgroupDirectories("/sys/fs/cgroup", 3).filter((path) => path.endsWith(`/${id}`));
  return [...files, ...cgroups.map((path) => `cgroup ${path.replace(id, "ID")}`)].sort();
}

function entries(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Every step of it, done once by the front and once by Deno. */
const STEPS: readonly string[][] = [
  ["state", "ID"],
  ["kill", "ID", "CONT"],
  ["kill", "ID", "nosuch"],
  ["kill", "--all", "ID", "CONT"],
  ["start", "ID"],
  ["state", "ID"],
  ["start", "ID"],
  ["delete", "ID"],
  ["pause", "ID"],
  ["state", "ID"],
  ["kill", "ID", "USR1"],
  ["start", "ID"],
  ["delete", "ID"],
  ["resume", "ID"],
  ["state", "ID"],
  ["exec", "ID", "true"],
  ["state", "ID"],
  ["update", "--pids-limit", "100", "ID"],
  ["kill", "--all", "ID", "9"],
  ["ended", "ID"],
  ["state", "ID"],
  ["kill", "ID", "9"],
  ["kill", "--all", "ID", "9"],
  ["kill", "--all", "ID", "15"],
  ["start", "ID"],
  ["delete", "ID"],
  ["state", "ID"],
  ["kill", "ID", "9"],
  ["start", "ID"],
  ["delete", "ID"],
  ["delete", "--force", "ID"],
];

const CONFIGURATIONS: Readonly<Record<string, (config: Config) => void>> = {
  plain: idle,
  "of many words": (config) => {
    idle(config);
    config.annotations = { é: '"quoted"\n', "org.opencontainers.image.stopSignal": "SIGQUIT" };
    config.hooks = { poststart: [hook("true")], poststop: [hook("true")] };
  },
  "with the pids of the host": (config) => {
    idle(config);
    config.linux.namespaces = config.linux.namespaces.filter((one: Config) => one.type !== "pid");
  },
  "with hooks inside": (config) => {
    idle(config);
    config.hooks = { startContainer: [{ path: "/bin/true" }] };
  },
  "that ends at once": (config) => config.process.args = ["true"],
  "whose program is none": (config) => config.process.args = ["/etc/none"],
  "whose hook fails": (config) => {
    idle(config);
    config.hooks = { startContainer: [{ path: "/bin/false" }] };
  },
};

async function live(
  runtime: TestRuntime,
  edit: (config: Config) => void,
  go: (args: string[]) => Promise<Told>,
): Promise<unknown[]> {
  using bundle = new Bundle(edit);
  Deno.writeTextFileSync(`${bundle.rootfs}/etc/none`, "no program\n", { mode: 0o755 });
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  const pid = (await runtime.state(id)).pid;
  const plain = (text: string) =>
    text.replaceAll(id, "ID").replaceAll(bundle.path, "BUNDLE").replaceAll(`${pid}`, "PID")
      .replace(/"created": ".*?"/, '"created": "NOW"').replace(/pid \d+/, "pid N")
      .replace(/after \d+ ms/, "after N ms");
  const told: unknown[] = [];
  for (const step of STEPS) {
    const words = step.map((word) => word === "ID" ? id : word);
    if (step[0] === "ended") {
      await until("it has ended", async () => {
        const state = await runtime.run(["state", id]);
        return state.code !== 0 || JSON.parse(state.stdout).status === "stopped";
      });
      continue;
    }
    const { code, stdout, stderr } = await go(words);
    told.push({ step: step.join(" "), code, stdout: plain(stdout), stderr: plain(stderr) });
    told.push(seen(runtime, id));
  }
  return told;
}

for (const [name, edit] of Object.entries(CONFIGURATIONS)) {
  runtimeTest(
    `a container ${name}: the same with and without Deno`,
    RUNTS_ONLY,
    async (runtime) => {
      const globals = ["--root", runtime.root];
      let short = 0;
      const told = await live(runtime, edit, async (args) => {
        const one = await tell([...globals, ...args]);
        if (!one.cold) short++;
        return one;
      });
      assertEquals(told, await live(runtime, edit, (args) => tellCold([...globals, ...args])));
      assert(short >= 3, `${short} steps without Deno`);
    },
  );
}
