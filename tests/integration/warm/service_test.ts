/** The brain as a service: socket activation, readiness, and an executable that was replaced. */

import { assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { tell } from "../../support/cold.ts";
import { command, RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { copyOfOtherBuild, WarmBrain } from "../../support/warm.ts";

const WARM = { code: 0, stdout: "", stderr: "", cold: false };

/** The pid that `serve --status` tells; undefined where no brain serves. */
async function brainPid(
  executable: string,
  env: Record<string, string>,
): Promise<number | undefined> {
  const { stdout } = await command([executable, "serve", "--status"], { env });
  const pid = /^pid: (\d+)$/m.exec(stdout)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

Deno.test({
  ...RUNTS_ONLY,
  name: "an executable in the place of its own takes its place, with the same socket and pid",
  fn: async () => {
    const folder = Deno.makeTempDirSync({ prefix: "runts-build-" });
    const executable = `${folder}/runts`;
    try {
      Deno.copyFileSync(RUNTIME, executable);
      await copyOfOtherBuild(RUNTIME, `${folder}/other`);
      await using brain = await WarmBrain.start([], executable);
      const env = { ...brain.env };
      assertEquals(await brainPid(`${folder}/other`, env), undefined);
      assertEquals(await brainPid(executable, env), brain.pid);
      Deno.renameSync(`${folder}/other`, executable);
      assertEquals(await brainPid(RUNTIME, env), brain.pid);
      const line = ["--root", `${folder}/none`, "list", "--quiet"];
      assertEquals(await tell(line, brain.words, { executable }), { ...WARM, cold: true });
      await until(
        "the other one serves",
        async () => await brainPid(executable, env) !== undefined,
      );
      assertEquals(await brainPid(executable, env), brain.pid);
      assertEquals(await tell(line, brain.words, { executable }), WARM);
      brain.kill("SIGTERM");
      assertEquals(await brain.end(), { code: 0, stderr: "" });
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

/** What systemd does for a socket unit. */
const ACTIVATE = `import os, socket, sys
directory, runtime = sys.argv[1:]
listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listening.bind(directory + "/socket")
listening.listen(16)
if listening.fileno() != 3: os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(runtime, [runtime, "serve"])
`;

Deno.test({
  ...RUNTS_ONLY,
  name: "it takes a socket from a service manager, tells of itself, and leaves the socket",
  fn: async () => {
    const helper = await loadHelper();
    const directory = Deno.makeTempDirSync({ prefix: "runts-brain-" });
    const notify = helper.bindDatagram(`${directory}/notify`, 0o600);
    const env = { RUNTS_BRAIN: directory, NOTIFY_SOCKET: `${directory}/notify` };
    const brain = new Deno.Command("python3", {
      args: ["-c", ACTIVATE, directory, RUNTIME],
      ...{ env, stdin: "null", stdout: "null", stderr: "piped" },
    }).spawn();
    const said = () => new TextDecoder().decode(helper.receiveDatagram(notify, 60_000).bytes);
    try {
      assertEquals(said(), "READY=1\n");
      const words = [`RUNTS_BRAIN=${directory}`, "RUNTS_TEST_WARM=1"];
      assertEquals(await tell(["--root", `${directory}/none`, "list", "--quiet"], words), WARM);
      brain.kill("SIGTERM");
      assertEquals(said(), "STOPPING=1\n");
      assertEquals((await brain.status).code, 0);
      assertEquals(await new Response(brain.stderr).text(), "");
      assertEquals(Deno.lstatSync(`${directory}/socket`).isSocket, true);
    } finally {
      helper.close(notify);
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
