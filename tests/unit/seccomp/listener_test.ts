import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Helper } from "../../../ffi/helper.ts";
import { isRuntsError, RuntsError } from "../../../lib/base/errors.ts";
import { LocalBody } from "../../../lib/body/local.ts";
import type { LoadedRuntime } from "../../../lib/runtime/runtime.ts";
import { passOnListener } from "../../../lib/seccomp/listener.ts";
import type { Seccomp, State } from "../../../lib/spec/types/config.ts";
import { OCI_VERSION } from "../../../lib/base/version.ts";

const [EPERM, EBADF, ECONNREFUSED] = [1, 9, 111];
const PROFILE: Seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/agent.sock" };
const STATE: State = {
  ociVersion: OCI_VERSION,
  id: "web",
  status: "creating",
  pid: 7,
  bundle: "/bundle",
  annotations: { a: "b" },
};

/** Records what is called; the listener appears at the third look. */
function fakeHelper(fakes: Partial<Helper> = {}): { helper: Helper; calls: unknown[][] } {
  const calls: unknown[][] = [];
  let looks = 0;
  const fail = (operation: string, errno: number) => {
    throw new RuntsError(operation, { errno });
  };
  const functions: Partial<Helper> = {
    pidfdGetFd: () => ++looks < 3 ? fail("fetch descriptor 5 of a process", EBADF) : 40,
    awaitExit: () => Promise.resolve(false),
    connectUnix: () => Promise.resolve(41),
    sendFds: () => Promise.resolve(),
    close() {},
    ...fakes,
  };
  const helper = Object.fromEntries(
    Object.entries(functions).map(([name, call]) => [name, (...args: unknown[]) => {
      calls.push([name, ...args]);
      return (call as (...args: unknown[]) => unknown)(...args);
    }]),
  );
  return { helper: helper as unknown as Helper, calls };
}

function pass(helper: Helper, profile: Seccomp | undefined, state = STATE): Promise<void> {
  const runtime = { helper, body: new LocalBody(helper) } as unknown as LoadedRuntime;
  return passOnListener(runtime, profile, { pid: 8, pidfd: 30, fd: 5, state });
}

async function fault(body: () => Promise<void>): Promise<string> {
  const error = await assertRejects(body);
  assert(isRuntsError(error), String(error));
  return error.message;
}

function sent(calls: unknown[][]): { fds: unknown; message: unknown } {
  const [, , fds, text] = calls.find(([name]) => name === "sendFds")!;
  return { fds, message: JSON.parse(new TextDecoder().decode(text as Uint8Array)) };
}

Deno.test("the listener is sent with the container process state, once it is there", async () => {
  const { helper, calls } = fakeHelper();
  await pass(helper, { ...PROFILE, listenerMetadata: "for you" });
  assertEquals(
    calls.map(([name, ...args]) => name === "sendFds" ? [name, args[0]] : [name, ...args]),
    [
      ["pidfdGetFd", 30, 5],
      ["awaitExit", 30, { timeoutMs: 1 }],
      ["pidfdGetFd", 30, 5],
      ["awaitExit", 30, { timeoutMs: 1 }],
      ["pidfdGetFd", 30, 5],
      ["connectUnix", "/agent.sock"],
      ["sendFds", 41],
      ["close", 41],
      ["close", 40],
    ],
  );
  assertEquals(sent(calls), {
    fds: [40],
    message: {
      ociVersion: OCI_VERSION,
      fds: ["seccompFd"],
      pid: 8,
      metadata: "for you",
      state: STATE,
    },
  });
});

Deno.test("metadata is left out when there is none", async () => {
  const { helper, calls } = fakeHelper();
  await pass(helper, PROFILE);
  assertEquals(Object.keys(sent(calls).message as object), ["ociVersion", "fds", "pid", "state"]);
});

Deno.test("an annotation may name who listens", async () => {
  const { helper, calls } = fakeHelper();
  const annotations = { "run.oci.seccomp.receiver": "/other.sock" };
  await pass(helper, { defaultAction: "SCMP_ACT_ALLOW" }, { ...STATE, annotations });
  assert(calls.some(([name, path]) => name === "connectUnix" && path === "/other.sock"));
  assertEquals(
    await fault(() => pass(helper, undefined)),
    "linux.seccomp.listenerPath: nobody is named to take the seccomp listener",
  );
});

Deno.test("nothing is sent for a process that has ended", async () => {
  const { helper, calls } = fakeHelper({ awaitExit: () => Promise.resolve(true) });
  await pass(helper, PROFILE);
  assertEquals(calls, [["pidfdGetFd", 30, 5], ["awaitExit", 30, { timeoutMs: 1 }]]);
});

Deno.test("failures are told, and no descriptor stays open", async () => {
  const refuse = (operation: string, errno: number) => () => {
    throw new RuntsError(operation, { errno });
  };
  const fetching = fakeHelper({ pidfdGetFd: refuse("fetch descriptor 5 of a process", EPERM) });
  assertEquals(
    await fault(() => pass(fetching.helper, PROFILE)),
    "linux.seccomp: fetch the seccomp listener: fetch descriptor 5 of a process: " +
      "EPERM (operation not permitted): it takes CAP_SYS_PTRACE",
  );
  const connecting = fakeHelper({
    connectUnix: refuse('connect to socket "/agent.sock"', ECONNREFUSED),
  });
  assertEquals(
    await fault(() => pass(connecting.helper, PROFILE)),
    'linux.seccomp.listenerPath: pass the seccomp listener to "/agent.sock": ' +
      "ECONNREFUSED (connection refused)",
  );
  assertEquals(connecting.calls.at(-1), ["close", 40]);
  const sending = fakeHelper({ sendFds: refuse("pass descriptors over a socket", 32) });
  assertEquals(
    await fault(() => pass(sending.helper, PROFILE)),
    'linux.seccomp.listenerPath: pass the seccomp listener to "/agent.sock": ' +
      "EPIPE (broken pipe)",
  );
  assertEquals(sending.calls.slice(-2), [["close", 41], ["close", 40]]);
});
