/** Who is served by a warm brain, and whom a front believes. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { idle, tell } from "../../support/cold.ts";
import { withRuntime } from "../../support/host.ts";
import { exists } from "../../support/look.ts";
import { command, RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";
import { askAs } from "../../support/warm_client.ts";

const WARM = { code: 0, stdout: "", stderr: "", cold: false };

const EACCES = 13;

/** Becomes what no command becomes: with a filter of system calls, or ids of another kind. */
const AS = "import ctypes, os, sys\n" +
  "libc = ctypes.CDLL(None)\n" +
  "exec(sys.argv[1])\n" +
  "os.execvp(sys.argv[2], sys.argv[2:])";
/** A filter that allows all (seccomp(2)). */
const FILTER =
  "import struct; filter = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000)); " +
  "program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', 1, ctypes.addressof(filter))); " +
  "assert libc.prctl(22, 2, program, 0, 0) == 0";
const python = (statement: string) => ["python3", "-c", AS, statement];

/** Callers that differ from the brain in one thing. */
const OTHERS: readonly string[][] = [
  python("os.setresuid(4711, 0, 0)"),
  python("os.setresgid(4711, 0, 0)"),
  python("os.setgroups([4711])"),
  python(FILTER),
  ["setpriv", "--no-new-privs"],
  ["setpriv", "--bounding-set", "-sys_nice"],
  ["setpriv", "--inh-caps", "+sys_nice"],
  ["unshare", "--pid", "--fork"],
  ["unshare", "--time", "--fork"],
  ["unshare", "--user", "--map-root-user"],
  ["unshare", "--mount"],
  ["unshare", "--uts"],
  ["unshare", "--net"],
  ["unshare", "--ipc"],
  ["unshare", "--cgroup"],
];

/** Prints how an attempt to connect ended. */
const CONNECT = "import os, socket, sys\n" +
  "os.setresuid(4242, 4242, 4242)\n" +
  "client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n" +
  "print(client.connect_ex(sys.argv[1]))";

/** Prints what the first one says who connects. */
const PLANT = "import os, socket, sys\n" +
  "os.setresuid(4242, 4242, 4242)\n" +
  "server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n" +
  "server.bind(sys.argv[1] + '.new')\n" +
  "os.chmod(sys.argv[1] + '.new', 0o777)\n" +
  "server.listen(1)\n" +
  "os.rename(sys.argv[1] + '.new', sys.argv[1])\n" +
  "print(server.accept()[0].recv(65536))";

/** What is heard of a list of nothing: its text, and the exit code. */
const SERVED = ["accept", "request 23", "end 0"];

Deno.test({
  ...RUNTS_ONLY,
  name: "before Linux 6.5, too, commands are carried out for whoever has connected alone",
  fn: async () => {
    await using brain = await WarmBrain.startAsBefore();
    const line = ["--root", `${brain.directory}/none`, "list", "--quiet"];
    assertEquals(await tell(line, brain.words), WARM);
    assertEquals(await askAs(brain.directory, "own"), SERVED);
    for (const going of ["guess", "other", "child"] as const) {
      assertEquals({ going, said: await askAs(brain.directory, going) }, {
        going,
        said: ["accept", "eof"],
      });
    }
    assertEquals(await tell(line, brain.words), WARM);
    brain.kill("SIGTERM");
    assertEquals(await brain.end(), { code: 0, stderr: "" });
  },
});

Deno.test({
  ...RUNTS_ONLY,
  name: "a caller with other ids, rights, filters, namespaces or another root runs cold",
  fn: async () => {
    await using brain = await WarmBrain.start();
    const line = ["--root", `${brain.directory}/none`, "list", "--quiet"];
    const served = async (before: readonly string[]) => {
      const count = await brain.done() + 1; // that which has asked
      const output = await command([...before, RUNTIME, ...line], { env: brain.env });
      assertEquals({ before, ...output }, { before, code: 0, stdout: "", stderr: "" });
      return await brain.done() - count;
    };
    assertEquals(await served(["nice"]), 1);
    for (const before of OTHERS) assertEquals(await served(before), 0, before.join(" "));
  },
});

Deno.test({
  ...RUNTS_ONLY,
  name: "another user neither reaches the brain of root nor is believed by root's commands",
  fn: async () => {
    await using brain = await WarmBrain.start();
    const folder = Deno.makeTempDirSync({ prefix: "runts-planted-" });
    Deno.chmodSync(folder, 0o777);
    const reach = await command(["python3", "-c", CONNECT, `${brain.directory}/socket`]);
    assertEquals(reach.stdout, `${EACCES}\n`);
    const planted = new Deno.Command("python3", {
      args: ["-c", PLANT, `${folder}/socket`],
      ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
    }).spawn();
    try {
      await until("the socket is planted", () => exists(`${folder}/socket`));
      const words = [`RUNTS_BRAIN=${folder}`, "RUNTS_TEST_WARM=1", "SECRET=told"];
      const line = ["--root", `${folder}/none`, "list", "--quiet"];
      assertEquals(await tell(line, words), { ...WARM, cold: true });
      assertEquals(new TextDecoder().decode((await planted.output()).stdout), "b''\n");
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test({
  ...RUNTS_ONLY,
  name: "paths that mean something else to every process mean the caller's",
  fn: () =>
    withRuntime(async (runtime) => {
      await using brain = await WarmBrain.start();
      using bundle = new Bundle(idle);
      const config = `${bundle.path}/config.json`;
      const [own, link] = [`${bundle.path}/own.json`, `${bundle.path}/link.json`];
      Deno.renameSync(config, own);
      Deno.symlinkSync("/dev/stdin", link);
      Deno.symlinkSync("/proc/self/fd/3", config);
      const ways = [
        `--config <(cat ${own})`,
        `--config /dev/stdin <${own}`,
        `--config /dev/fd/7 7<${own}`,
        `--config /proc/self/fd/7 7<${own}`,
        `--config ${link} <${own}`,
        `3<${own}`,
      ];
      for (const way of ways) {
        const id = runtime.id();
        const script = `exec "$0" --root ${runtime.root} create -b ${bundle.path} ${id} ${way}`;
        const found = await command(["bash", "-c", script, RUNTIME], { env: brain.env });
        assertEquals({ way, ...found }, { way, code: 0, stdout: "", stderr: "" });
        await runtime.ok(["delete", "--force", id]);
      }
    }),
});
