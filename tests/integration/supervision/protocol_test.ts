/** What a monitor takes from brains: requests, descriptors, and from whom. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { bindFunctions, openLibrary } from "../../../ffi/bind.ts";
import { cString } from "../../../ffi/call.ts";
import { MONITOR_SYMBOLS, monitorCalls, type Packet } from "../../../ffi/monitor.ts";
import { EINVAL } from "../../../lib/base/errno.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { Monitor } from "../../../lib/body/monitor_client.ts";
import { O_RDWR } from "../../../lib/base/linux.ts";
import { BodyMax, decodeReply, encodeRequest, Operation } from "../../../lib/wire/body.ts";
import { Watched } from "../../support/monitor.ts";
import { OTHER_BUILD, otherLibrary } from "../../support/other_build.ts";
import { until } from "../../support/runtime.ts";
import { gcc } from "../../support/stand_in.ts";

const EOPNOTSUPP = 95;

/** A connection without a client. */
class Raw implements Disposable {
  readonly #calls = monitorCalls();

  private constructor(readonly watched: Watched, readonly socket: number) {}

  static async connect(watched: Watched): Promise<Raw> {
    const socket = await monitorCalls().connect(`${watched.folder}/monitor.sock`);
    const raw = new Raw(watched, socket);
    await raw.say(encodeRequest(Operation.hello, 1, [], [])); // it has been accepted
    return raw;
  }

  /** Sends bytes; gives the packet that comes then. */
  async say(bytes: Uint8Array<ArrayBuffer>, fds: readonly number[] = []): Promise<Packet | "eof"> {
    assert(this.#calls.send(this.socket, { bytes, fds }));
    return await this.hear();
  }

  async hear(): Promise<Packet | "eof"> {
    await this.watched.helper.awaitFds([this.socket]);
    const packet = this.#calls.receive(this.socket);
    assert(packet !== "again");
    return packet;
  }

  /** The result that comes. */
  async result(bytes: Uint8Array<ArrayBuffer>, fds: readonly number[] = []): Promise<number> {
    const packet = await this.say(bytes, fds);
    assert(packet !== "eof");
    return decodeReply(packet.bytes)!.result;
  }

  [Symbol.dispose](): void {
    this.watched.helper.close(this.socket);
  }
}

const descriptorsOf = (pid: number) => [...Deno.readDirSync(`/proc/${pid}/fd`)].length;

Deno.test("a reply has the operation and the number of its request", async () => {
  await using watched = await Watched.start();
  using raw = await Raw.connect(watched);
  for (const number of [0, 7, 0xffffffff]) {
    const packet = await raw.say(encodeRequest(Operation.hello, number, [], []));
    assert(packet !== "eof");
    const { operation, request, result, fields } = decodeReply(packet.bytes)!;
    assertEquals([operation, request, result, fields.byteLength], [1, number, 0, 40]);
  }
});

Deno.test("what is unknown or malformed is refused, and leaves nothing", async () => {
  await using watched = await Watched.start();
  using raw = await Raw.connect(watched);
  const before = descriptorsOf(watched.pid);
  const null_ = watched.helper.open("/dev/null", O_RDWR);
  const many = new Array(BodyMax.fds).fill(null_);
  assertEquals(await raw.result(encodeRequest(999, 1, [], [])), -EOPNOTSUPP);
  assertEquals(await raw.result(encodeRequest(999, 1, [], []), many), -EOPNOTSUPP);
  assertEquals(await raw.result(encodeRequest(Operation.ended, 1, [], [])), -EOPNOTSUPP);
  assertEquals(await raw.result(new Uint8Array(3)), -EINVAL);
  assertEquals(await raw.result(encodeRequest(Operation.hello, 1, [], []), many), -EINVAL);
  assertEquals(await raw.result(encodeRequest(Operation.hello, 1, [0], [])), -EINVAL);
  assertEquals(await raw.result(new Uint8Array([1, 0, 0, 0, ...new Array(20_000)])), -EINVAL);
  assertEquals(await raw.result(encodeRequest(Operation.watch, 1, [], ["init"])), -EINVAL);
  assertEquals(await raw.result(encodeRequest(Operation.fds, 1, [5000], []), [null_]), -EINVAL);
  assertEquals(await raw.result(encodeRequest(Operation.fds, 1, [-1], []), [null_]), -EINVAL);
  for (const length of [0, 1, 8, 4096]) {
    const bytes = crypto.getRandomValues(new Uint8Array(8 + length));
    bytes.set([Operation.spawn, 0, 0, 0]);
    assertEquals(await raw.result(bytes, [null_, null_]), -EINVAL);
  }
  assertEquals(descriptorsOf(watched.pid), before);
  watched.helper.close(null_);
});

/** Fields of SPAWN. */
const spawnFields = { slots: 0, preserve: 0, flags: 0, stdio: 0, console: -1, umask: 0o22 };

Deno.test("a spawn is refused that makes no sense", async () => {
  await using watched = await Watched.start();
  using raw = await Raw.connect(watched);
  const calls = monitorCalls();
  const sealed = calls.sealedFile("test", new Uint8Array(4));
  const open = watched.helper.memoryFile("test");
  const before = descriptorsOf(watched.pid);
  const ask = (fields: Partial<typeof spawnFields>, fds: readonly number[], name = "init") => {
    const all = Object.values({ ...spawnFields, ...fields });
    return raw.result(encodeRequest(Operation.spawn, 1, all, [name]), fds);
  };
  const images = [calls.initImage(), sealed];
  assertEquals(await ask({}, [open, sealed]), -EINVAL); // a container could change it
  assertEquals(await ask({}, [sealed, open]), -EINVAL);
  assertEquals(await ask({}, images, ""), -EINVAL);
  assertEquals(await ask({ slots: 1025 }, images), -EINVAL);
  assertEquals(await ask({ preserve: 1025 }, images), -EINVAL);
  assertEquals(await ask({ flags: 2 }, images), -EINVAL);
  assertEquals(await ask({ stdio: 5 }, images), -EINVAL);
  assertEquals(await ask({ stdio: 4 }, images), -EINVAL);
  assertEquals(await ask({ stdio: 3, slots: 1 }, images), -EINVAL);
  assertEquals(await ask({ stdio: 3, slots: 1, console: 1 }, images), -EINVAL);
  assertEquals(await ask({ console: 0, slots: 1 }, images), -EINVAL);
  assertEquals(await ask({ umask: 0o1000 }, images), -EINVAL);
  assertEquals(descriptorsOf(watched.pid), before);
  assertEquals(watched.children(), []);
  // Four bytes are no program, which the conversation would say.
  assertEquals(await ask({ stdio: 2 }, [sealed, sealed]), 0);
  await until("it is reaped", () => watched.children().length === 0);
  for (const fd of [sealed, open]) watched.helper.close(fd);
});

Deno.test("a plan may have 1,024 slots", async () => {
  await using watched = await Watched.start();
  const { helper } = watched;
  const file = `${watched.folder}/file`;
  const before = descriptorsOf(watched.pid);
  const null_ = helper.open("/dev/null", O_RDWR);
  const last = helper.open(file, O_RDWR | 0o100);
  const started = await watched.run({
    script: "ulimit -Sn; ls /proc/self/fd | wc -l",
    fds: [...new Array(1023).fill(null_), last],
    ops: [{ op: "join_cgroup", from: "", slot: 1023 }], // writes "0"
  });
  assertEquals((await watched.ended(started)).code, 0);
  assertEquals(await Deno.readTextFile(file), "0");
  const soft = /^Max open files +(\d+)/m.exec(await Deno.readTextFile("/proc/self/limits"))![1];
  const lines = (await watched.logged()).trimEnd().split("\n").map((line) => line.slice(40));
  assertEquals(lines, [soft, "4"]); // one is that of ls
  assertEquals(descriptorsOf(watched.pid), before);
  for (const fd of [null_, last]) helper.close(fd);
});

Deno.test("descriptors are preserved under their numbers, and gaps are closed", async () => {
  await using watched = await Watched.start();
  const { helper } = watched;
  const [a, b] = ["a", "b"].map((name) => helper.open(`${watched.folder}/${name}`, O_RDWR | 0o100));
  const started = await watched.run({
    script: "echo 3 >&3; echo 5 >&5; echo 4 >&4 && exit 9; exit 0",
    preserved: [a!, -1, b!],
  });
  assertEquals((await watched.ended(started)).code, 0);
  assertEquals([await watched.logged("a"), await watched.logged("b")], ["3\n", "5\n"]);
  for (const fd of [a, b]) helper.close(fd!);
});

Deno.test("streams may be given, or be /dev/null", async () => {
  await using watched = await Watched.start();
  const { helper } = watched;
  const path = `${watched.folder}/out`;
  const file = helper.open(path, O_RDWR | 0o100);
  const stdio = { kind: "given", fds: [file, file, file] } as const;
  await watched.ended(await watched.run({ script: "echo out; echo err >&2", stdio }));
  assertEquals(await Deno.readTextFile(path), "out\nerr\n");
  const script = `for n in 0 1 2; do readlink /proc/$$/fd/$n; done >${path}; umask >>${path}`;
  await watched.ended(await watched.run({ script, stdio: { kind: "null" } }));
  assertEquals(await Deno.readTextFile(path), `/dev/null\n${path}\n/dev/null\n0022\n`);
  helper.close(file);
});

Deno.test("a child's descriptor is fetched", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: `exec sleep 1000 <${watched.folder}/../` });
  const place = await Deno.realPath(`${watched.folder}/..`);
  const input = () => Deno.readLinkSync(`/proc/${started.pid}/fd/0`);
  await until("the shell has opened it", () => input() === place);
  const fd = await watched.monitor.fetch(started.pid, 0);
  assertEquals(await Deno.readLink(`/proc/self/fd/${fd}`), place);
  watched.helper.close(fd);
  await assertRejects(
    () => watched.monitor.fetch(Deno.pid, 0),
    RuntsError,
    `fetch descriptor 0 of process ${Deno.pid}: ESRCH (no such process)`,
  );
  await assertRejects(
    () => watched.monitor.fetch(started.pid, 77),
    RuntsError,
    `fetch descriptor 77 of process ${started.pid}: EBADF (bad file descriptor)`,
  );
});

Deno.test("a brain that does not read is hung up on, and nobody waits for it", async () => {
  await using watched = await Watched.start();
  using raw = await Raw.connect(watched);
  const request = encodeRequest(Operation.status, 1, [], []);
  const calls = monitorCalls();
  let sent = 0;
  const send = () => calls.send(raw.socket, { bytes: request, fds: [] });
  await assertRejects(
    async () => {
      for (;; await watched.monitor.status()) while (send()) sent++;
    },
    RuntsError,
    "send a packet: EPIPE (broken pipe)",
  );
  assert(sent > 10);
  await until("one is left", async () => (await watched.monitor.status()).connections === 1);
});

const STRANGER = `
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  unsigned hello[2] = {1, 1};
  char reply[64];
  int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  strcpy(at.sun_path, argv[argc - 1]);
  if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
    return 1;
  send(fd, hello, sizeof hello, MSG_NOSIGNAL);
  printf("%d", (int)read(fd, reply, sizeof reply));
  return 0;
}
`;

Deno.test("only the same user is heard", async () => {
  await using watched = await Watched.start();
  const [program, socket] = [`${watched.folder}/stranger`, `${watched.folder}/monitor.sock`];
  await Deno.writeTextFile(`${program}.c`, STRANGER);
  await gcc("-o", program, `${program}.c`);
  await Deno.chmod(watched.folder, 0o755);
  const connect = async (uid: number) => {
    const command = new Deno.Command(program, { args: [socket], uid, gid: uid });
    const { code, stdout } = await command.output();
    return [code, new TextDecoder().decode(stdout)];
  };
  assertEquals(await connect(Deno.uid()!), [0, "56"]);
  if (Deno.uid() !== 0) return;
  assertEquals(await connect(12345), [1, ""]); // the mode
  await Deno.chmod(socket, 0o777);
  const [code, read] = await connect(12345);
  assertEquals([code, ["0", "-1"].includes(String(read))], [0, true], String(read));
});

/** What starts monitors of another build. */
async function startOfOther(): Promise<ReturnType<typeof monitorCalls>["start"]> {
  const { rts_find } = openLibrary(await otherLibrary(), {
    rts_find: { parameters: ["buffer"], result: "pointer" },
  });
  const functions = bindFunctions(MONITOR_SYMBOLS, (symbol) => rts_find(cString(symbol)));
  return ({ listening, connection, idleMs, title }) =>
    functions.rts_monitor_start(listening, connection, idleMs, cString(title));
}

Deno.test("a monitor of another build says so, and works", async () => {
  await using watched = await Watched.start({ start: await startOfOther() });
  assertEquals((await watched.monitor.hello()).buildId, OTHER_BUILD);
  const started = await watched.run({ script: "echo from this build; exit 7" });
  assertEquals((await watched.ended(started)).code, 7);
  assertEquals((await watched.logged()).slice(31), "stdout F from this build\n");
});

Deno.test("a terminal beside init is attached to by one alone, and goes with whoever made it", async () => {
  await using watched = await Watched.start();
  const { monitor, helper } = watched;
  {
    using maker = await Monitor.connect(helper, `${watched.folder}/monitor.sock`);
    helper.close(await maker.terminal("tty1"));
    helper.close(await maker.terminal("tty1")); // in the place of the other
    const exclusive = { stdin: true, replay: false, exclusive: true };
    using _first = await monitor.attach("tty1", exclusive);
    await assertRejects(() => monitor.attach("tty1", exclusive), RuntsError, "EBUSY");
    using _other = await monitor.attach("tty1", { ...exclusive, exclusive: false });
  }
  await until("it is gone", async () => {
    try {
      (await monitor.attach("tty1", { stdin: false, replay: false }))[Symbol.dispose]();
      return false;
    } catch {
      return true;
    }
  });
});

Deno.test("a monitor holds descriptors until it is given others", async () => {
  await using watched = await Watched.start();
  const { monitor, helper } = watched;
  const { pid } = await monitor.hello();
  const file = helper.open("/proc/self/ns/net", 0);
  const [number] = await monitor.hold([file]);
  helper.close(file);
  assertEquals(
    Deno.readLinkSync(`/proc/${pid}/fd/${number}`),
    Deno.readLinkSync("/proc/self/ns/net"),
  );
  const before = descriptorsOf(pid);
  assertEquals(await monitor.hold([]), []);
  assertEquals(descriptorsOf(pid), before - 1);
});
