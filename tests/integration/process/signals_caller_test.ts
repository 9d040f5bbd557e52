/** Signals that the caller ignores or blocks: no child is lost, and no program inherits that. */

import { assertEquals } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { runtimeTest, type TestRuntime, withRuntime } from "../../support/host.ts";
import { hook, KINDS } from "../../support/hooks.ts";
import { addPayload } from "../../support/payload.ts";
import {
  command,
  commandLine,
  type Output,
  PEER,
  RUNTS_ONLY,
  until,
} from "../../support/runtime.ts";

/** Options of env(1). */
const CALLERS = [
  ["--ignore-signal=CHLD"],
  ["--block-signal=CHLD"],
  ["--ignore-signal=CHLD,HUP,INT,QUIT,TERM,PIPE,USR1"],
  ["--ignore-signal", "--block-signal"],
] as const;

/** crun loses its children. */
const NOT_CRUN = { ignore: PEER === "crun" };

function lineOf(runtime: TestRuntime, caller: readonly string[], args: readonly string[]) {
  return ["env", ...caller, ...commandLine(runtime.executable, ["--root", runtime.root, ...args])];
}

async function called(
  runtime: TestRuntime,
  caller: readonly string[],
  args: readonly string[],
): Promise<Output> {
  return await command(lineOf(runtime, caller, args));
}

const SHOW = "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '[:alpha:][:space:]'";
/** Nothing is blocked, nothing ignored. */
const NONE = `:${"0".repeat(16)}:${"0".repeat(16)}`;

/** Go leaves 32 to 34 to the C library, whose they are. */
function seen(text: string): string {
  if (PEER !== "runc") return text;
  const masks = text.split(":").slice(1).map((mask) => BigInt(`0x${mask}`) & ~0x380000000n);
  return masks.map((mask) => `:${mask.toString(16).padStart(16, "0")}`).join("");
}

for (const caller of CALLERS) {
  Deno.test({
    name: `every verb for a caller with ${caller.join(" ")}`,
    // runc hands on what is blocked
    ignore: PEER === "crun" || (PEER === "runc" && caller.join().includes("block")),
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle((config) => config.root.readonly = false);
        const { config, path } = bundle;
        const log = `${path}/log`;
        Deno.mkdirSync(log);
        config.mounts.push({ destination: log, source: log, type: "bind", options: ["bind"] });
        for (const applet of ["tr"]) Deno.symlinkSync("busybox", `${bundle.rootfs}/bin/${applet}`);
        config.hooks = Object.fromEntries(
          KINDS.map((kind) => [kind, [hook(`${SHOW} >${log}/${kind}`)]]),
        );
        config.process.args = ["sh", "-c", `${SHOW} >${log}/program; exit 7`];
        bundle.save();
        const id = runtime.id();
        assertEquals(await called(runtime, caller, ["run", "--bundle", path, id]), {
          code: 7,
          stdout: "",
          stderr: "",
        });
        for (const name of [...KINDS, "program"]) {
          assertEquals(seen(Deno.readTextFileSync(`${log}/${name}`)), NONE, name);
        }
        config.process.args = ["sleep", "1000"];
        bundle.save();
        const steps: [args: string[], code: number, stdout: string][] = [
          [["create", "--bundle", path, id], 0, ""],
          [["start", id], 0, ""],
          [["exec", id, "sh", "-c", `${SHOW}; exit 5`], 5, NONE],
          [["exec", "--detach", id, "true"], 0, ""],
          [["kill", id, "KILL"], 0, ""],
        ];
        for (const [args, code, stdout] of steps) {
          const output = await called(runtime, caller, args);
          const said = stdout === NONE ? seen(output.stdout) : output.stdout;
          const expected = { code, stdout, stderr: "" };
          assertEquals({ ...output, stdout: said }, expected, args.join(" "));
        }
        await runtime.untilStopped(id);
        assertEquals(await called(runtime, caller, ["delete", id]), {
          code: 0,
          stdout: "",
          stderr: "",
        });
      }),
  });
}

Deno.test({
  name: "a hook that fails is told of although the caller ignores SIGCHLD",
  ...RUNTS_ONLY, // other words
  fn: () =>
    withRuntime(async (runtime) => {
      for (const kind of ["createRuntime", "createContainer", "startContainer", "poststart"]) {
        using bundle = new Bundle((config) => {
          config.process.args = ["sleep", "1000"];
          config.hooks = { [kind]: [hook("exit 3")] };
        });
        const id = runtime.id();
        const args = ["run", "--bundle", bundle.path, id];
        const { code, stderr } = await called(runtime, CALLERS[0], args);
        assertEquals({ code, stderr: stderr.replace(/\d+ ms/, "N ms") }, {
          code: 1,
          stderr:
            `runts: run "${id}": hooks.${kind}[0]: hook "/bin/sh": exit status 3 after N ms\n`,
        });
      }
    }),
});

runtimeTest("ps for a caller that ignores SIGCHLD", NOT_CRUN, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  for (const caller of CALLERS) {
    const { code, stdout, stderr } = await called(runtime, caller, ["ps", id]);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(stdout.trimEnd().split("\n").length, 2);
  }
  await runtime.ok(["delete", "--force", id]);
});

Deno.test({
  name: "run hands on signals that its caller ignores or blocks",
  ignore: PEER === "crun", // it hands on none
  fn: () =>
    withRuntime(async (runtime) => {
      for (const caller of [["--ignore-signal"], ["--block-signal"]]) {
        using bundle = new Bundle((config) => {
          config.process.args = ["sh", "-c", "exec payload signals >/out"];
          config.root.readonly = false;
        });
        await addPayload(bundle, "payload");
        const out = () => {
          try {
            return Deno.readTextFileSync(`${bundle.rootfs}/out`).split("\n").slice(0, -1);
          } catch {
            return [];
          }
        };
        const line = lineOf(runtime, caller, ["run", "--bundle", bundle.path, runtime.id()]);
        const process = new Deno.Command(line[0]!, { args: line.slice(1), stdin: "null" }).spawn();
        await until("it is ready", () => out()[0] === "ready");
        for (const [name, number] of [["SIGHUP", 1], ["SIGUSR1", 10], ["SIGTERM", 15]] as const) {
          process.kill(name);
          await until(`${name} has come`, () => out().includes(String(number)));
        }
        assertEquals((await process.status).code, 0);
      }
    }),
});
