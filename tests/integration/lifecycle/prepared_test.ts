/** What the front does without Deno is what Deno would do, and whatever is odd goes to Deno. */

import { assert, assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { cgroupDirectories, runtimeTest, type TestRuntime } from "../../support/host.ts";
import { hook } from "../../support/hooks.ts";
import { RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import {
  assertState,
  ended,
  idle,
  prepared,
  SHORT,
  tell,
  tellCold,
  type Told,
} from "../../support/cold.ts";

prepared("a life without Deno", idle, async (id, call) => {
  const { pid } = await assertState(call, id, "created");
  assertEquals(await call("start", id), SHORT);
  assertEquals((await assertState(call, id, "running")).pid, pid);
  assertEquals(await call("kill", id, "0"), SHORT);
  assertEquals(await call("kill", id, "KILL"), SHORT);
  await ended(call, id);
  assertEquals((await assertState(call, id, "stopped")).pid, 0);
  assertEquals(await call("delete", id), SHORT);
  assertEquals(await call("delete", "--force", id), SHORT);
});

runtimeTest("clients' forms of these verbs take no Deno", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const log = `${bundle.path}/log.json`;
  const shim = ["--root", runtime.root, "--log", log, "--log-format", "json"];
  const forms: readonly [globals: string[], variables: string[], lines: string[][]][] = [
    [shim, [], [["start"], ["kill", "", "9"], ["kill", "--all", "", "9"], ["delete"]]],
    [[...shim, "--systemd-cgroup"], [], [["start"], ["kill", "--all", "", "9"], ["delete"]]],
    // podman as root, whose environment has one variable, which is empty.
    [["--root", runtime.root], ["-i", "XDG_RUNTIME_DIR="], [["start"], ["kill", "", "15"]]],
    [["--root", runtime.root], ["-i", "XDG_RUNTIME_DIR="], [["start"], ["delete", "--force"]]],
    [[`--root=${runtime.root}/`], [], [["start"], ["state"], ["kill", "", "SIGKILL"], ["delete"]]],
  ];
  for (const [globals, variables, lines] of forms) {
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    for (const [verb, ...rest] of lines) {
      if (verb === "delete" && rest.length === 0) {
        await runtime.untilStopped(id);
      }
      const at = rest.indexOf("");
      const words = at < 0 ? [...rest, id] : rest.with(at, id);
      // `env -i` would drop what tells of a cold start, too.
      const line = variables.filter((one) => one !== "-i");
      const told = await tell([...globals, verb!, ...words], line);
      assertEquals({ ...told, stdout: "" }, SHORT, `${globals} ${verb} ${words}`);
    }
    assertEquals(await tell([...globals, "delete", "--force", id]), SHORT);
  }
  // Nothing was logged, but a log was opened.
  assertEquals(Deno.readTextFileSync(log), "");
});

prepared("a link under a name of LXC's has verbs of its own", idle, async (id, _, { root }) => {
  const link = `${root}/lxc-none`;
  Deno.symlinkSync(RUNTIME, link);
  const told = await tell(["--root", root, "state", id], [], { executable: link });
  Deno.removeSync(link);
  assertEquals([told.code, told.cold], [1, true]);
});

runtimeTest("an empty environment is enough", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  const line = ["env", "-i", RUNTIME, "--root", runtime.root, "delete", "--force", id];
  const { success } = await new Deno.Command(line[0]!, { args: line.slice(1) }).output();
  assert(success);
});

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

prepared("output that nobody reads ends as with Deno", idle, async (id, _, runtime) => {
  const script = `mkfifo "$0"; exec 3<>"$0" 4>"$0" 3<&-; rm "$0"
    "$@" >&4; echo "$?"; "$@" >/dev/full; echo "$?"; "$@" >&-; echo "$?"`;
  const line = [RUNTIME, "--root", runtime.root, "state", id];
  const told = async (variables: string[]) => {
    const { stdout, stderr } = await tell(
      ["-c", script, `${runtime.root}/fifo`, ...line],
      variables,
      {
        executable: "bash",
      },
    );
    return { stdout, stderr: stderr.replaceAll(/^.*ld\.so.*\n/gm, "") };
  };
  assertEquals(await told([]), await told(["RUNTS_TEST_COLD=1"]));
});

prepared("the front needs less than 200 kB", idle, async (id, _, runtime) => {
  const fifo = `${runtime.root}/fifo`;
  const script = `mkfifo "$0"; exec 3<>"$0"
    dd if=/dev/zero of="$0" bs=65536 count=1 2>/dev/null
    "$@" >&3 & pid=$!
    until grep -q '^State:.S' /proc/$pid/status && [ "$(readlink /proc/$pid/exe)" = "$1" ]; do :; done
    cat /proc/$pid/smaps_rollup
    dd of=/dev/null bs=65536 count=1 <&3 2>/dev/null
    wait $pid; rm "$0"`;
  const args = ["-c", script, fifo, RUNTIME, "--root", runtime.root, "state", id];
  const { code, stdout, stderr } = await tell(args, [], { executable: "sh" });
  assertEquals(code, 0, stderr);
  const size = Number(/^Rss:\s+(\d+) kB$/m.exec(stdout)?.[1]);
  assert(size > 0 && size <= 200, stdout);
});

runtimeTest("explain --prepared prints the record", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  const view = JSON.parse(await runtime.ok(["explain", "--prepared", id]));
  assertEquals(view.usable, true);
  assertEquals(view.verbs, ["state", "kill", "kill --all", "start", "delete"]);
  assertEquals(view.pid, (await runtime.state(id)).pid);
  Deno.removeSync(`${runtime.root}/${id}/prepared`);
  const none = "no record: every verb starts Deno\n";
  assertEquals(await runtime.ok(["explain", "--prepared", id]), none);
  await runtime.ok(["delete", "--force", id]);
  const gone = await runtime.run(["explain", "--prepared", id]);
  assertEquals(gone, {
    code: 1,
    stdout: "",
    stderr: `runts: explain "${id}": container does not exist\n`,
  });
});
