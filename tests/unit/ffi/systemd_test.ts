/** ffi/systemd.ts with a message bus of its own. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Helper, loadHelper } from "../../../ffi/helper.ts";
import { Bus, BusError, type BusMessage } from "../../../ffi/systemd.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

const DAEMON = "/usr/bin/dbus-daemon";
const NAME = "org.freedesktop.DBus";
const OBJECT = { destination: NAME, path: "/org/freedesktop/DBus", interface: NAME };
const TIMEOUT = 60_000;

function isInstalled(): boolean {
  try {
    return Deno.statSync(DAEMON).isFile && Deno.dlopen("libsystemd.so.0", {}) !== undefined;
  } catch {
    return false;
  }
}

async function withDaemon(body: (address: string, helper: Helper) => Promise<void>): Promise<void> {
  const child = new Deno.Command(DAEMON, {
    args: ["--session", "--nofork", "--nopidfile", "--print-address"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await lines.read();
    await body(value!.trim(), await loadHelper());
    await lines.cancel();
  } finally {
    try {
      child.kill();
    } catch {
      // a test has ended it
    }
    await child.status;
  }
}

function busTest(name: string, body: (address: string, helper: Helper) => Promise<void>): void {
  Deno.test({ name, ignore: !isInstalled(), fn: () => withDaemon(body) });
}

const text = (message: BusMessage) => message.readText("s");

/** Process id of the daemon. */
function daemonOf(bus: Bus): Promise<number> {
  const member = "GetConnectionUnixProcessID";
  return bus.call(OBJECT, member, [["s", NAME]], TIMEOUT, (reply) => reply.readNumber());
}

busTest(
  "calls are answered, refused, and signals are not lost meanwhile",
  async (address, helper) => {
    const bus = Bus.open(helper, address, true);
    const before = Array.from(Deno.readDirSync("/proc/self/fd")).length;
    const own = "org.runts.test";
    const request = await bus.call(
      OBJECT,
      "RequestName",
      [["s", own], ["u", 0]],
      TIMEOUT,
      (reply) => reply.readNumber(),
    );
    assertEquals(request, 1);
    // The daemon has sent both before its replies.
    assert((await bus.signal(NAME, "NameAcquired", TIMEOUT, text))?.startsWith(":"));
    assertEquals(await bus.signal(NAME, "NameAcquired", TIMEOUT, text), own);
    const refused = await assertRejects(
      () => bus.call(OBJECT, "GetNameOwner", [["s", "org.runts.none"]], TIMEOUT, text),
      BusError,
    );
    assertEquals(refused.busName, `${NAME}.Error.NameHasNoOwner`);
    assertEquals(
      refused.message,
      "call GetNameOwner of systemd: Could not get owner of name 'org.runts.none': no such name",
    );
    assertEquals(await bus.signal(NAME, "NameAcquired", 20, text), undefined);
    const pid = await daemonOf(bus);
    Deno.kill(pid, "SIGSTOP");
    const late = await assertRejects(() => bus.call(OBJECT, "GetId", [], 20, text), RuntsError);
    Deno.kill(pid, "SIGCONT");
    assertEquals(late.message, "call GetId of systemd: ETIMEDOUT (connection timed out)");
    // Two descriptors are those of the waiter.
    assert(Array.from(Deno.readDirSync("/proc/self/fd")).length <= before + 2);
    bus.close();
  },
);

busTest("40 connections that wait take one thread", async (address, helper) => {
  const threads = () => Array.from(Deno.readDirSync("/proc/self/task")).length;
  const [reading, writing] = helper.pipe();
  const warm = helper.awaitFds([reading]);
  await Deno.readTextFile("/etc/hostname");
  const before = threads();
  const buses = Array.from({ length: 40 }, () => Bus.open(helper, address, true));
  const ids = await Promise.all(
    buses.map((bus) => bus.call(OBJECT, "GetId", [], TIMEOUT, text)),
  );
  assertEquals(new Set(ids).size, 1);
  const waits = buses.map((bus) => bus.signal(NAME, "Never", 200, text));
  await Deno.readTextFile("/etc/hostname");
  assert(threads() <= before + 1, `${threads()} threads instead of ${before}`);
  assertEquals(await Promise.all(waits), waits.map(() => undefined));
  for (const bus of buses) bus.close();
  helper.close(writing);
  await warm;
  helper.close(reading);
});

busTest("a bus that goes away is an error", async (address, helper) => {
  const bus = Bus.open(helper, address, true);
  const pid = await daemonOf(bus);
  const waiting = bus.signal(NAME, "Never", TIMEOUT, text);
  Deno.kill(pid, "SIGKILL");
  const gone = await assertRejects(() => waiting, RuntsError);
  assert(gone.message.startsWith("read from the bus: E"), gone.message);
  bus.close();
  const path = address.replace(/^unix:path=|,.*$/g, "");
  assertThrows(() => Bus.open(helper, `unix:path=${path}-none`, true), RuntsError, "ENOENT");
});
