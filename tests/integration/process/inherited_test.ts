/** What runtimes change of their own process is not inherited, and what callers lack is no crash. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { command, commandLine, PEER, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";
import { parseSeen, type Seen } from "../../support/seen.ts";

/** runc 1.1 passes on the limit of open files that its language has raised. */
const NOT_RUNC = { ignore: PEER === "runc" };

/** What a program inherits from its caller, of what `payload report` tells. */
function inherited({ limits, policy, nice, ioprio, personality, oomScoreAdj, kept, status }: Seen) {
  const blocked = status.SigBlk;
  return { limits, policy, nice, ioprio, personality, oomScoreAdj, kept, blocked };
}

/** A bundle whose hooks and program report what they see into files, `init` and those of the kinds. */
function reportingBundle(): Bundle {
  return new Bundle((config) => {
    delete config.process.rlimits;
    config.root.readonly = false;
    config.process.args = ["sh", "-c", "payload report >/tmp/init; payload report >/tmp/child"];
  });
}

const HOOKS = ["createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

/** A command below these limits. */
function limited(limits: string, line: readonly string[]): string[] {
  return ["bash", "-c", `${limits}; exec "$@"`, "bash", ...line];
}

/** Its output comes through a pipe, which no limit of files concerns. */
function piped(line: readonly string[]): string[] {
  return ["bash", "-c", '"$@" 2>&1 | cat; exit ${PIPESTATUS[0]}', "bash", ...line];
}

/** Runs a container and an exec in it below `limits`; gives what each process has inherited. */
async function reports(limits: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  await withRuntime(async (runtime) => {
    using bundle = reportingBundle();
    await addPayload(bundle, "payload");
    const program = `${bundle.rootfs}/bin/payload`;
    const read = (path: string) => {
      const stdout = Deno.readTextFileSync(path);
      return inherited(parseSeen({ code: 0, stdout, stderr: "" }));
    };
    bundle.config.hooks = {};
    for (const kind of HOOKS) {
      const inside = kind === "startContainer";
      const [from, to] = inside ? ["/bin/payload", "/tmp"] : [program, `${bundle.rootfs}/tmp`];
      const args = ["sh", "-c", `${from} report >${to}/${kind}`];
      bundle.config.hooks[kind] = [{ path: "/bin/sh", args, env: ["PATH=/bin"] }];
    }
    bundle.save();
    const root = ["--root", runtime.root];
    const run = [...root, "run", "--bundle", bundle.path, runtime.id()];
    const { code, stderr } = await command(limited(limits, commandLine(RUNTIME, run)));
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    const direct = await command(limited(limits, [program, "report"]));
    found.direct = inherited(parseSeen(direct));
    for (const name of ["init", "child", ...HOOKS]) {
      found[name] = read(`${bundle.rootfs}/tmp/${name}`);
    }

    delete bundle.config.hooks;
    bundle.config.process.args = ["sleep", "1000"];
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    try {
      const exec = [...root, "exec", id, "/bin/payload", "report"];
      found.exec = inherited(parseSeen(await command(limited(limits, commandLine(RUNTIME, exec)))));
    } finally {
      await runtime.ok(["delete", "--force", id]);
    }
  });
  return found;
}

const USUAL = "ulimit -Sn 1111; ulimit -Hn 15000; ulimit -c 0; ulimit -Su 5000; ulimit -l 64; " +
  "renice -n 3 $$ >/dev/null; ionice -c 2 -n 7 -p $$";

Deno.test({
  name: "init, exec and hooks inherit what the caller has",
  ...NOT_RUNC,
  async fn() {
    const { direct, ...others } = await reports(USUAL);
    for (const [name, seen] of Object.entries(others)) {
      assertEquals({ name, seen }, { name, seen: direct });
    }
  },
});

Deno.test({
  name: "soft limits that are too low for Deno are restored for what is started",
  ...RUNTS_ONLY,
  async fn() {
    const low = "ulimit -Sn 20; ulimit -Ss 64; ulimit -Sf 100; ulimit -Sd 20000; ulimit -Sv 900000";
    const { direct, ...others } = await reports(low);
    for (const [name, seen] of Object.entries(others)) {
      assertEquals({ name, seen }, { name, seen: direct });
    }
  },
});

Deno.test({
  name: "a limit of the configuration is not replaced by the caller's",
  ...NOT_RUNC,
  async fn() {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 77, hard: 2000 }];
        config.process.args = ["sh", "-c", "ulimit -Sn; ulimit -Hn"];
      });
      const run = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
      const output = await command(limited("ulimit -Sn 1111", commandLine(RUNTIME, run)));
      assertEquals(output, { code: 0, stdout: "77\n2000\n", stderr: "" });
    });
  },
});

/** Limits that may not be raised, and what runts says of them. */
const TOO_LOW: [command: string, said: string][] = [
  ["ulimit -s 64", "RLIMIT_STACK from 65536 to 524288"],
  ["ulimit -s 384", "RLIMIT_STACK from 393216 to 524288"],
  ["ulimit -n 8", "RLIMIT_NOFILE from 8 to 32"],
  ["ulimit -n 16", "RLIMIT_NOFILE from 16 to 32"],
  ["ulimit -v 1000000", "RLIMIT_AS from 1024000000 to 51539607552"],
  ["ulimit -d 10000", "RLIMIT_DATA from 10240000 to 33554432"],
  ["ulimit -f 0", "RLIMIT_FSIZE from 0 to 16777216"],
  ["ulimit -Ss 64; ulimit -n 8", "RLIMIT_NOFILE from 8 to 32"],
];

Deno.test({
  name: "hard limits that are too low are refused in words, and nothing is left",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle();
      const run = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
      const cold = ["env", "RUNTS_TEST_COLD=1"]; // these are limits of Deno
      const drop = ["setpriv", "--bounding-set=-sys_resource", ...cold];
      for (const [limits, said] of TOO_LOW) {
        assertEquals({
          limits,
          ...await command(piped(limited(limits, [...drop, ...commandLine(RUNTIME, run)]))),
        }, {
          limits,
          code: 1,
          stderr: "",
          stdout: `runts: cannot start: raise ${said}: EPERM (operation not permitted): ` +
            "the hard limit of the caller is too low\n",
        });
        assertEquals(await runtime.ok(["list", "--quiet"]), "");
      }
    });
  },
});

Deno.test({
  name: "a hard limit of open files that is too low for a container is named",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle();
      const id = runtime.id();
      const run = ["--root", runtime.root, "run", "--bundle", bundle.path, id];
      const drop = ["setpriv", "--bounding-set=-sys_resource", ...commandLine(RUNTIME, run)];
      assertEquals(await command(limited("ulimit -n 34", drop)), {
        code: 1,
        stdout: "",
        stderr: `runts: run "${id}": start init: EMFILE (too many open files): ` +
          "the caller's hard limit of open files is too low (ulimit -Hn)\n",
      });
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    });
  },
});

/** Hosts on which Deno would not start, each in a mount namespace of its own. */
const BARE_HOSTS: [setUp: string, said: string][] = [
  [
    "mount -t tmpfs t /proc",
    "look up /proc/self/fd: ENOENT (no such file or directory): is procfs mounted on /proc?",
  ],
  ...["<&-", ">&-", "<&- >&-"].map((closed): [string, string] => [
    `mount -t tmpfs t /dev; exec ${closed}`,
    "open /dev/null in the place of a closed stream: ENOENT (no such file or directory)",
  ]),
];

Deno.test({
  name: "a host without /proc, or without /dev/null for a closed stream, is told of in words",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async (runtime) => {
      for (const [setUp, said] of BARE_HOSTS) {
        const script = `${setUp}; exec "$@"`;
        const unshare = ["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "sh"];
        const output = await command([...unshare, RUNTIME, "--root", runtime.root, "features"]);
        const stderr = `runts: cannot start: ${said}\n`;
        assertEquals({ setUp, ...output }, { setUp, code: 1, stdout: "", stderr });
      }
    });
  },
});

Deno.test({
  name: "a user who may have no further process is told so in words",
  ...RUNTS_ONLY,
  async fn() {
    const user = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups"];
    const line = [...user, ...limited("ulimit -u 1", [RUNTIME, "--version"])];
    assertEquals(await command(line), {
      code: 1,
      stdout: "",
      stderr: "runts: cannot start: make a process: EAGAIN (resource temporarily unavailable): " +
        "RLIMIT_NPROC of the caller is too low\n",
    });
  },
});

/** Variables that mean something to Deno, V8, Rust, ICU or the C library. */
const VARIABLES =
  "DENO_V8_FLAGS=--bad DENO_DIR=/none DENO_LOG=trace DENO_JOBS=x DENO_COVERAGE_DIR=/none " +
  "NO_COLOR=1 FORCE_COLOR=1 NODE_OPTIONS=--bad RUST_BACKTRACE=full RUST_LOG=trace RUST_MIN_STACK=x " +
  "TOKIO_WORKER_THREADS=0 OTEL_DENO=true TERM=odd TZ=odd LANG=odd LC_ALL=odd TMPDIR=/none " +
  "MALLOC_PERTURB_=5 GLIBC_TUNABLES=glibc.malloc.check=3 LD_LIBRARY_PATH=/tmp LD_BIND_NOW=1";

Deno.test("no variable of the caller's language changes what is done or said", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["env"]);
    const env = Object.fromEntries(VARIABLES.split(" ").map((one) => one.split("=", 2)));
    const run = ["run", "--bundle", bundle.path, runtime.id()];
    const { code, stdout, stderr } = await runtime.run(run, { env });
    const lines = stdout.split("\n").slice(0, -1).sort();
    const expected = { code: 0, lines: ["HOME=/root", "PATH=/bin", "TERM=xterm"], stderr: "" };
    assertEquals({ code, lines, stderr }, expected);
  });
});
