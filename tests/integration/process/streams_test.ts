/** Standard streams, descriptors and files of run and exec. */

import { assert, assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import {
  command,
  commandLine,
  type CommandOptions,
  PEER,
  RUNTS_ONLY,
  until,
} from "../../support/runtime.ts";
import { withSleeper } from "../../support/seen.ts";

/** Runs a container by a shell line in which "$@" stands for the command of the runtime. */
async function shellRun(
  runtime: TestRuntime,
  script: string,
  edit: (config: Config, bundle: Bundle) => void,
  options: CommandOptions = {},
  flags: readonly string[] = [],
): Promise<string> {
  using bundle = new Bundle();
  await addPayload(bundle, "payload");
  edit(bundle.config, bundle);
  bundle.save();
  const words = ["--root", runtime.root, "run", ...flags, "--bundle", bundle.path, runtime.id()];
  const line = commandLine(runtime.executable, words);
  const { code, stdout, stderr } = await command(
    ["sh", "-c", script, bundle.path, ...line],
    options,
  );
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

Deno.test("standard input is a file, a pipe, or closed", async () => {
  await withRuntime(async (runtime) => {
    const cat = (config: Config) => config.process.args = ["cat"];
    assertEquals(await shellRun(runtime, 'echo file >"$0/in"; "$@" <"$0/in"', cat), "file\n");
    assertEquals(await shellRun(runtime, 'echo pipe | "$@"', cat), "pipe\n");
    assertEquals(await shellRun(runtime, '"$@" </dev/null', cat), "");
    if (PEER !== "runts") return; // the peers' own behaviour without descriptor 0 varies
    const seen = await shellRun(runtime, '"$@" <&-', (config) => {
      config.process.args = ["payload", "report"];
    });
    assertEquals(Object.keys(JSON.parse(seen).fds), ["0", "1", "2"]);
  });
});

Deno.test("many MB come through pipes without loss", async () => {
  await withRuntime(async (runtime) => {
    const script = '{ "$@" 2>"$0/sum" | cat; }; cat "$0/sum"';
    const text = await shellRun(runtime, script, (config) => {
      config.process.args = ["payload", "print", "20000000"];
    });
    const printed = text.slice(0, 20_000_000);
    let sum = 0;
    for (const byte of new TextEncoder().encode(printed)) sum = (Math.imul(sum, 31) + byte) >>> 0;
    assertEquals(text.slice(20_000_000), String(sum));
  });
});

Deno.test("exec passes many MB both ways", async () => {
  await withSleeper(() => {}, async (sleeper) => {
    const text = "0123456789abcde\n".repeat(250_000);
    const { code, stdout, stderr } = await sleeper.exec([], ["cat"], { stdin: text });
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assert(stdout === text);
  });
});

Deno.test("run --detach writes on to the caller's files", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      config.process.args = ["sh", "-c", "until [ -e /go ]; do sleep 0.02; done; echo late"];
    });
    const id = runtime.id();
    const words = ["--root", runtime.root, "run", "--detach", "--bundle", bundle.path, id];
    const script = 'exec "$@" >"$0/out" 2>&1 </dev/null';
    const line = commandLine(runtime.executable, words);
    assertEquals((await command(["sh", "-c", script, bundle.path, ...line])).code, 0);
    bundle.put("go", "");
    await until("it has written", () => Deno.readTextFileSync(`${bundle.path}/out`) === "late\n");
    await runtime.untilStopped(id);
    await runtime.ok(["delete", id]);
  });
});

Deno.test("--preserve-fds passes on those and no more", { ignore: PEER === "crun" }, async () => {
  // crun's line needs a mount namespace around it here
  await withRuntime(async (runtime) => {
    const script = 'exec 3</etc/hostname 4</etc/passwd 5</etc/group; exec "$@"';
    const edit = (config: Config) => config.process.args = ["payload", "report"];
    const { fds } = JSON.parse(await shellRun(runtime, script, edit, {}, ["--preserve-fds", "2"]));
    assertEquals(Object.keys(fds), ["0", "1", "2", "3", "4"]);
    assertEquals([fds[3], fds[4]], ["/etc/hostname", "/etc/passwd"]);
  });
});

Deno.test("LISTEN_FDS passes on descriptors and says whose they are", {
  ignore: PEER === "crun", // its line needs a mount namespace around it here
}, async () => {
  await withRuntime(async (runtime) => {
    const script = "exec 3</etc/hostname 4</etc/passwd; " +
      'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"';
    const edit = (config: Config) => config.process.args = ["payload", "report"];
    const seen = JSON.parse(await shellRun(runtime, script, edit));
    assertEquals(Object.keys(seen.fds), ["0", "1", "2", "3"]);
    assertEquals(seen.fds[3], "/etc/hostname");
    assertEquals(seen.env.filter((one: string) => one.startsWith("LISTEN_")).sort(), [
      ...(PEER === "runc" ? [] : ["LISTEN_FDNAMES=web"]), // runc 1.1 leaves the names out
      "LISTEN_FDS=1",
      "LISTEN_PID=1",
    ]);
  });
});

Deno.test("a --pid-file is relative to the caller's directory", {
  ignore: PEER === "crun", // crun 1.8: to the bundle
}, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
    const cwd = `${bundle.path}/here`;
    Deno.mkdirSync(cwd);
    const id = runtime.id();
    const args = ["--pid-file", "pid", "--bundle", bundle.path, id];
    await runtime.ok(["run", "--detach", ...args], { cwd });
    const { pid } = await runtime.state(id);
    assertEquals(Deno.readTextFileSync(`${cwd}/pid`), String(pid));
    assertEquals([...Deno.readDirSync(cwd)].length, 1);
    await runtime.ok(["delete", "--force", id]);
  });
});

Deno.test("run --keep leaves the stopped container", { ignore: PEER === "crun" }, async () => {
  // crun 1.8 has no such option
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sh", "-c", "exit 5"]);
    const id = runtime.id();
    const { code } = await runtime.run(["run", "--keep", "--bundle", bundle.path, id]);
    assertEquals(code, 5);
    assertEquals((await runtime.state(id)).status, "stopped");
    await runtime.ok(["delete", id]);
  });
});

/** A socket that takes pidfds, and what each comes with. */
async function pidfdReceiver(path: string): Promise<{
  receive(): { text: string; pid: number };
  close(): void;
}> {
  const helper = await loadHelper();
  const listener = helper.listenUnix(path);
  return {
    receive() {
      const connection = helper.accept(listener, 60_000);
      const { fd, text } = helper.receiveFd(connection, 60_000);
      helper.close(connection);
      const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
      helper.close(fd);
      return { text, pid: Number(/^Pid:\t(\d+)$/m.exec(info)![1]) };
    },
    close: () => helper.close(listener),
  };
}

Deno.test("--pidfd-socket gets a pidfd of init and of a process of exec", RUNTS_ONLY, async () => {
  // since runc 1.2
  await withSleeper(() => {}, async ({ runtime, bundle }) => {
    const path = `${bundle.path}/socket`;
    const receiver = await pidfdReceiver(path);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--pidfd-socket", path, "--bundle", bundle.path, id]);
    assertEquals(receiver.receive(), { text: "standard", pid: (await runtime.state(id)).pid });
    const file = `${bundle.path}/pid`;
    const options = ["--detach", "--pid-file", file, "--pidfd-socket", path];
    await runtime.ok(["exec", ...options, id, "sleep", "1000"]);
    const pid = Number(Deno.readTextFileSync(file));
    assertEquals(receiver.receive(), { text: "setns", pid });
    receiver.close();
    await runtime.ok(["delete", "--force", id]);
  });
});

Deno.test("so does the annotation run.oci.pidfd_receiver for init", RUNTS_ONLY, async () => {
  // since crun 1.21
  await withSleeper(() => {}, async ({ runtime, bundle }) => {
    const path = `${bundle.path}/socket`;
    bundle.config.annotations = { "run.oci.pidfd_receiver": path };
    bundle.save();
    const id = runtime.id();
    const create = ["create", "--bundle", bundle.path, id];
    const refused = await runtime.run(create);
    assertEquals(refused, {
      code: 1,
      stdout: "",
      stderr: `runts: create "${id}": connect to pidfd socket "${path}": ENOENT (no such file or ` +
        "directory)\n",
    });
    const receiver = await pidfdReceiver(path);
    await runtime.ok(create);
    assertEquals(receiver.receive(), { text: "standard", pid: (await runtime.state(id)).pid });
    receiver.close();
    await runtime.ok(["delete", "--force", id]);
  });
});
