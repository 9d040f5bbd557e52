import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openLibrary } from "../../../ffi/bind.ts";
import { type Helper, loadHelper } from "../../../ffi/helper.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

async function inFolder(body: (folder: string, helper: Helper) => unknown) {
  const folder = await Deno.makeTempDir({ prefix: "runts-sockets-" });
  try {
    await body(folder, await loadHelper());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const fileOf = (fd: number) => Deno.readLinkSync(`/proc/self/fd/${fd}`);

/** A path that fits no address, which ends after 107 bytes. */
function longFolder(folder: string): string {
  const path = `${folder}/${"d".repeat(200)}/${"e".repeat(200)}`;
  Deno.mkdirSync(path, { recursive: true });
  return path;
}

Deno.test("streams connect at short and long paths, and pass descriptors", () =>
  inFolder(async (folder, helper) => {
    for (const path of [`${folder}/console.sock`, `${longFolder(folder)}/console.sock`]) {
      const listening = helper.listenUnix(path, 0o660);
      const stat = Deno.lstatSync(path);
      assertEquals([stat.isSocket, stat.mode! & 0o777], [true, 0o660]);
      const ours = await helper.connectUnix(path);
      const theirs = helper.accept(listening, 1000);
      assertEquals(helper.fdFlags(ours), 1);
      assertEquals(helper.fdFlags(theirs), 1);
      const file = helper.open("/etc/passwd", 0);
      await helper.sendFds(ours, [file], bytes("/dev/pts/0"));
      const received = helper.receiveFd(theirs, 1000);
      assertEquals([received.text, fileOf(received.fd)], ["/dev/pts/0", "/etc/passwd"]);
      assertEquals(helper.fdFlags(received.fd), 1);
      for (const fd of [listening, ours, theirs, file, received.fd]) helper.close(fd);
    }
  }));

Deno.test("receiveFd wants exactly one descriptor and closes others", async () => {
  const helper = await loadHelper();
  const [ours, theirs] = helper.socketpair();
  const late = assertThrows(() => helper.receiveFd(theirs, 20), RuntsError);
  assertEquals(late.message, "receive a message: ETIMEDOUT (connection timed out)");
  await helper.sendFds(ours, [], bytes("none"));
  const none = assertThrows(() => helper.receiveFd(theirs, 0), RuntsError);
  assertEquals(none.message, "receive a descriptor: got 0: EPROTO (protocol error)");
  await helper.sendFds(ours, [ours, ours], new Uint8Array(0));
  const before = Array.from(Deno.readDirSync("/proc/self/fd")).length;
  const two = assertThrows(() => helper.receiveFd(theirs, 0), RuntsError);
  assertEquals(two.message, "receive a descriptor: got 2: EPROTO (protocol error)");
  assertEquals(Array.from(Deno.readDirSync("/proc/self/fd")).length, before);
  helper.close(ours);
  const end = assertThrows(() => helper.receiveFd(theirs, 0), RuntsError);
  assertEquals(end.message, "receive a descriptor: got 0: EPROTO (protocol error)");
  const broken = await assertRejects(() => helper.sendFds(theirs, [], bytes("x")), RuntsError);
  assertEquals(broken.message, "pass descriptors over a socket: EPIPE (broken pipe)");
  helper.close(theirs);
});

Deno.test("no more descriptors are sent or taken than there is room for", async () => {
  const helper = await loadHelper();
  const [ours, theirs] = helper.socketpair();
  const many = new Array(16).fill(ours);
  await helper.sendFds(ours, many, bytes("x"));
  const { fds } = helper.receiveDatagram(theirs, 0);
  assertEquals(fds.length, 16);
  const error = await assertRejects(
    () => helper.sendFds(ours, [...many, ours], bytes("x")),
    RuntsError,
  );
  assertEquals(
    error.message,
    "pass descriptors over a socket: E2BIG (argument list too long)",
  );
  for (const fd of [...fds, ours, theirs]) helper.close(fd);
});

Deno.test("datagrams come whole, with their descriptors, at any path", () =>
  inFolder(async (folder, helper) => {
    for (const path of [`${folder}/notify`, `${longFolder(folder)}/notify`]) {
      const socket = helper.bindDatagram(path, 0o777);
      assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o777);
      const file = helper.open("/etc/passwd", 0);
      await helper.sendDatagram(path, bytes("READY=1\n"), [file]);
      helper.sendDatagramSync(path, bytes("STATUS=ok\n"));
      const first = helper.receiveDatagram(socket, 1000);
      assertEquals([text(first.bytes), first.fds.map(fileOf)], ["READY=1\n", ["/etc/passwd"]]);
      const second = helper.receiveDatagram(socket, 1000);
      assertEquals([text(second.bytes), second.fds], ["STATUS=ok\n", []]);
      for (const fd of [socket, file, ...first.fds]) helper.close(fd);
    }
  }));

Deno.test("a datagram goes to an abstract address", async () => {
  const helper = await loadHelper();
  const name = `runts-test-${crypto.randomUUID()}`;
  const libc = openLibrary("libc.so.6", {
    // int socket(int domain, int type, int protocol);
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    // int bind(int fd, const struct sockaddr *address, socklen_t length);
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  });
  const socket = libc.socket(1, 2, 0); // AF_UNIX, SOCK_DGRAM
  const address = new Uint8Array([1, 0, 0, ...bytes(name)]);
  assertEquals(libc.bind(socket, address, address.length), 0);
  await helper.sendDatagram(`@${name}`, bytes("READY=1"), []);
  assertEquals(text(helper.receiveDatagram(socket, 1000).bytes), "READY=1");
  helper.close(socket);
});

/** Waits for what nobody can do before `release`, which comes once the event loop went round meanwhile. */
async function goesRound(work: Promise<unknown>, release: () => void): Promise<void> {
  let turns = 0;
  const timer = setInterval(() => ++turns === 4 && release(), 1);
  await work.finally(() => clearInterval(timer));
  assert(turns >= 4);
}

Deno.test("a full backlog and a full queue hold nobody else up", () =>
  inFolder(async (folder, helper) => {
    const stream = `${folder}/stream`;
    const listening = helper.listenUnix(stream);
    const open: number[] = [];
    let connecting: Promise<number>;
    do {
      connecting = helper.connectUnix(stream);
      const first = await Promise.race([connecting, new Promise((done) => setTimeout(done, 5))]);
      if (first === undefined) break;
      open.push(await connecting);
    } while (open.length < 100);
    assert(open.length < 100);
    await goesRound(connecting, () => open.push(helper.accept(listening, 0)));
    open.push(await connecting);

    const path = `${folder}/datagram`;
    const socket = helper.bindDatagram(path, 0o600);
    const sent: Promise<void>[] = [];
    for (let index = 0; index < 100; index++) sent.push(helper.sendDatagram(path, bytes("x"), []));
    const all = Promise.all(sent);
    let reader: ReturnType<typeof setInterval> | undefined;
    await goesRound(all, () => {
      reader = setInterval(() => {
        while (helper.readyFds([socket]).length > 0) helper.receiveDatagram(socket, 0);
      }, 5);
    });
    clearInterval(reader);
    for (const fd of [...open, listening, socket]) helper.close(fd);
  }));

Deno.test("a long text goes with its descriptors, while others go on", async () => {
  const helper = await loadHelper();
  const [ours, theirs] = helper.socketpair();
  const long = bytes("x".repeat(3 << 20));
  const sending = helper.sendFds(ours, [ours], long);
  let length = 0;
  const fds: number[] = [];
  let reader: ReturnType<typeof setInterval> | undefined;
  await goesRound(sending, () => {
    reader = setInterval(() => {
      while (helper.readyFds([theirs]).length > 0) {
        const message = helper.receiveDatagram(theirs, 0);
        length += message.bytes.length;
        fds.push(...message.fds);
      }
    }, 5);
  });
  clearInterval(reader);
  while (helper.readyFds([theirs]).length > 0) {
    length += helper.receiveDatagram(theirs, 0).bytes.length;
  }
  assertEquals([length, fds.length], [long.length, 1]);
  for (const fd of [...fds, ours, theirs]) helper.close(fd);
});

Deno.test("errors of sockets name their path", () =>
  inFolder(async (folder, helper) => {
    const path = `${folder}/s`;
    const none = await assertRejects(() => helper.connectUnix(path), RuntsError);
    assertEquals(none.message, `connect to socket "${path}": ENOENT (no such file or directory)`);
    helper.close(helper.listenUnix(path));
    const refused = await assertRejects(() => helper.connectUnix(path), RuntsError);
    assertEquals(refused.message, `connect to socket "${path}": ECONNREFUSED (connection refused)`);
    const taken = assertThrows(() => helper.bindDatagram(path, 0o600), RuntsError);
    assertEquals(taken.message, `make socket "${path}": EADDRINUSE (address already in use)`);
    const wrong = await assertRejects(() => helper.sendDatagram(path, bytes("x"), []), RuntsError);
    assert(wrong.message.startsWith(`send to socket "${path}": `), wrong.message);
    const name = "n".repeat(200);
    const long = assertThrows(() => helper.listenUnix(`${folder}/${name}`), RuntsError);
    assertEquals(long.data.errno, 36); // ENAMETOOLONG
  }));

Deno.test("the mode of a socket is not given to a link in its place", () =>
  inFolder((folder, helper) => {
    Deno.writeTextFileSync(`${folder}/file`, "", { mode: 0o600 });
    Deno.symlinkSync("file", `${folder}/link`);
    const error = assertThrows(() => helper.bindDatagram(`${folder}/link`, 0o777), RuntsError);
    assertEquals(error.data.errno, 98); // EADDRINUSE
    assertEquals(Deno.statSync(`${folder}/file`).mode! & 0o777, 0o600);
  }));
