/** ps, update and events: what they print of a running container. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, commandLine, PEER, RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";

/** What crun has no command or option for. */
const NOT_CRUN = { ignore: PEER === "crun" };

/** Runs a test with a container in the background that runs a shell script. */
async function withContainer(
  script: string,
  body: (runtime: TestRuntime, id: string) => Promise<void>,
  edit: (config: Config) => void = () => {},
): Promise<void> {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      config.process.args = ["sh", "-c", script];
      edit(config);
    });
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await runtime.ok(["start", id]);
    await body(runtime, id);
    await runtime.ok(["delete", "--force", id]);
  });
}

/** The statistics of a container. */
async function stats(runtime: TestRuntime, id: string): Promise<Config> {
  const event = JSON.parse(await runtime.ok(["events", "--stats", id]));
  assertEquals([event.type, event.id], ["stats", id]);
  return event.data;
}

Deno.test("ps lists the processes of the container alone", async () => {
  await withContainer("sleep 1000 & sleep 1000 & wait", async (runtime, id) => {
    let pids: number[] = [];
    await until("all run", async () => {
      pids = JSON.parse(await runtime.ok(["ps", "--format", "json", id]));
      return pids.length === 3;
    });
    assert(pids.includes((await runtime.state(id)).pid));
    const rows = (await runtime.ok(["ps", id])).trimEnd().split("\n");
    assertEquals(rows.length, 4);
    for (const pid of pids) assert(rows.some((row) => new RegExp(`\\b${pid}\\b`).test(row)));
  });
});

Deno.test("ps passes options on to ps", NOT_CRUN, async () => {
  await withContainer("exec sleep 1000", async (runtime, id) => {
    const { pid } = await runtime.state(id);
    await until("it sleeps", async () => {
      const text = await runtime.ok(["ps", id, "-o", "pid,args"]);
      return new RegExp(`^ *PID COMMAND\\n *${pid} sleep 1000\\n$`).test(text);
    });
  });
});

Deno.test("ps says what ps does not understand", RUNTS_ONLY, async () => {
  await withContainer("sleep 1000", async (runtime, id) => {
    const { code, stdout, stderr } = await runtime.run(["ps", id, "--bogus"]);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      new RegExp(`^runts: ps "${id}": run "ps --bogus": error: unknown gnu long`),
    );
  });
});

Deno.test("ps says where there is no ps", RUNTS_ONLY, async () => {
  await withContainer("sleep 1000", async (runtime, id) => {
    const words = ["--root", runtime.root, "ps", id];
    assertEquals(await command(["env", "PATH=/none", ...commandLine(RUNTIME, words)]), {
      code: 1,
      stdout: "",
      stderr: `runts: ps "${id}": run "ps -ef": ENOENT (no such file or directory): ` +
        "ps of procps is not in the PATH of the caller\n",
    });
  });
});

Deno.test("update changes limits by options", NOT_CRUN, async () => {
  await withContainer("sleep 1000", async (runtime, id) => {
    await runtime.ok(["update", id, "--memory", "64m", "--pids-limit=20"]);
    const { memory, pids } = await stats(runtime, id);
    assertEquals([memory.usage.limit, pids.limit], [64 * 2 ** 20, 20]);
  });
});

Deno.test("update reads the resources of the specification", NOT_CRUN, async () => {
  await withContainer("sleep 1000", async (runtime, id) => {
    // Zeros are what containerd sends for limits that are to stay.
    const stdin =
      '{"memory":{"limit":67108864,"reservation":0},"cpu":{"shares":0},"pids":{"limit":9}}';
    await runtime.ok(["update", "--resources", "-", id], { stdin });
    const { memory, pids } = await stats(runtime, id);
    assertEquals([memory.usage.limit, pids.limit], [64 * 2 ** 20, 9]);
  });
});

Deno.test("update refuses what it does not understand", RUNTS_ONLY, async (t) => {
  await withContainer("sleep 1000", async (runtime, id) => {
    const cases: [args: string[], stdin: string, message: string][] = [
      [
        ["--memory", "lots"],
        "",
        'option "--memory": "lots" is not a size: as "512m", "1.5g" or a number of bytes',
      ],
      [["--pids-limit", "x"], "", 'option "--pids-limit": "x" is not a whole number'],
      [["-r", "/no/file"], "", 'read "/no/file": ENOENT (no such file or directory)'],
      [
        ["-r", "-"],
        '{"pids":{"limit":"9"}}',
        'standard input: pids.limit: "9" is not a whole number',
      ],
    ];
    for (const [args, stdin, message] of cases) {
      await t.step(args.join(" "), async () => {
        const output = await runtime.run(["update", ...args, id], { stdin });
        assertEquals(output, { code: 1, stdout: "", stderr: `runts: update: ${message}\n` });
      });
    }
  });
});

Deno.test("events has the statistics that runc has", NOT_CRUN, async () => {
  await withContainer("sleep 1000", async (runtime, id) => {
    const data = await stats(runtime, id);
    for (const part of ["cpu", "memory", "pids", "blkio", "hugetlb"]) assert(part in data, part);
    assert(data.cpu.usage.total > 0);
    assert(data.memory.usage.usage > 0);
    assertEquals(data.pids.current, 1);
  });
});

Deno.test("events reports a lack of memory, and ends with the container", NOT_CRUN, async () => {
  const script = "read go </tmp/go; x=a; while :; do x=$x$x; done";
  await withContainer(script, async (runtime, id) => {
    const [executable, ...args] = commandLine(runtime.executable, [
      ...["--root", runtime.root],
      ...["events", "--interval", "100ms", id],
    ]);
    const process = new Deno.Command(executable!, { args, stdout: "piped" }).spawn();
    let text = "";
    let [watched, deleted] = [false, false];
    for await (const piece of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (!watched && text.includes("\n")) {
        watched = true;
        const { rootfs } = await runtime.state(id);
        Deno.writeTextFileSync(`${rootfs}/tmp/go`, "\n");
      }
      if (PEER === "runc" && !deleted && text.includes('"oom"')) {
        deleted = true; // which runc waits for on v1
        await runtime.ok(["delete", "--force", id]);
      }
    }
    assertEquals((await process.status).code, 0);
    const types = text.trimEnd().split("\n").map((line) => JSON.parse(line).type);
    assertEquals(types[0], "stats");
    assert(types.includes("oom"), types.join());
  }, (config) => {
    config.root.readonly = false;
    config.process.args[2] = `busybox mkfifo /tmp/go; ${script}`;
    config.linux.resources = { memory: { limit: 32 * 2 ** 20, swap: 32 * 2 ** 20 } };
  });
});

Deno.test("events can be read by people", RUNTS_ONLY, async () => {
  await withContainer("sleep 1000", async (runtime, id) => {
    const line = await runtime.ok(["events", "--stats", "--format", "line", id]);
    assertMatch(line, /^cpu \d+\.\d\d s {2}memory \S+ KiB of 32\.0 MiB {2}pids 1 {2}read .*\n$/);
    const rows = (await runtime.ok(["events", "--stats", "--format=table", id])).split("\n");
    assertEquals(rows.map((row) => row.split(" ")[0]), [
      ...["cpu", "memory", "pids", "read", "written"],
      "",
    ]);
  }, (config) => config.linux.resources = { memory: { limit: 32 * 2 ** 20 } });
});

Deno.test("what becomes of containers is no statistics", RUNTS_ONLY, async () => {
  await withContainer("true", async (runtime, id) => {
    const words = [["--stats"], ["--interval", "1s"], ["--format", "line"]];
    for (const [name = "", ...value] of words) {
      for (const mode of [["--follow"], ["--since", "0"]]) {
        assertEquals(await runtime.run(["events", name, ...value, ...mode, id]), {
          code: 1,
          stdout: "",
          stderr: `runts: events: options "${name}" and "${mode[0]}" exclude each other: ` +
            `"${name}" is about statistics\n`,
        });
      }
    }
  });
});

Deno.test("a stopped container has no events and takes no update", RUNTS_ONLY, async () => {
  await withContainer("true", async (runtime, id) => {
    await runtime.untilStopped(id);
    assertEquals(await runtime.run(["events", id]), {
      code: 1,
      stdout: "",
      stderr: `runts: events "${id}": container not running: it is stopped\n`,
    });
    assertEquals(await runtime.run(["update", "--pids-limit", "5", id]), {
      code: 1,
      stdout: "",
      stderr: `runts: update "${id}": cannot update a container that is stopped\n`,
    });
  });
});
