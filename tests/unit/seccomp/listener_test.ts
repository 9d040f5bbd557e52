import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Helper } from "../../../ffi/helper.ts";
import { isRuntsError, RuntsError } from "../../../lib/base/errors.ts";
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
    exited: () => false,
    connectUnix: () => 41,
    sendFds() {},
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

function pass(helper: Helper, profile: Seccomp | undefined, state = STATE): void {
  passOnListener(helper, profile, { pid: 8, pidfd: 30, fd: 5, state });
}

function fault(body: () => void): string {
  const error = assertThrows(body);
  assert(isRuntsError(error), String(error));
  return error.message;
}

function sent(calls: unknown[][]): { fds: unknown; message: unknown } {
  const [, , fds, text] = calls.find(([name]) => name === "sendFds")!;
  return { fds, message: JSON.parse(new TextDecoder().decode(text as Uint8Array)) };
}

Deno.test("the listener is sent with the container process state, once it is there", () => {
  const { helper, calls } = fakeHelper();
  pass(helper, { ...PROFILE, listenerMetadata: "for you" });
  assertEquals(
    calls.map(([name, ...args]) => name === "sendFds" ? [name, args[0]] : [name, ...args]),
    [
      ["pidfdGetFd", 30, 5],
      ["exited", 30, 1],
      ["pidfdGetFd", 30, 5],
      ["exited", 30, 1],
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

Deno.test("metadata is left out when there is none", () => {
  const { helper, calls } = fakeHelper();
  pass(helper, PROFILE);
  assertEquals(Object.keys(sent(calls).message as object), ["ociVersion", "fds", "pid", "state"]);
});

Deno.test("an annotation may name who listens", () => {
  const { helper, calls } = fakeHelper();
  const annotations = { "run.oci.seccomp.receiver": "/other.sock" };
  pass(helper, { defaultAction: "SCMP_ACT_ALLOW" }, { ...STATE, annotations });
  assert(calls.some(([name, path]) => name === "connectUnix" && path === "/other.sock"));
  assertEquals(
    fault(() => pass(helper, undefined)),
    "linux.seccomp.listenerPath: nobody is named to take the seccomp listener",
  );
});

Deno.test("nothing is sent for a process that has ended", () => {
  const { helper, calls } = fakeHelper({ exited: () => true });
  pass(helper, PROFILE);
  assertEquals(calls, [["pidfdGetFd", 30, 5], ["exited", 30, 1]]);
});

Deno.test("failures are told, and no descriptor stays open", () => {
  const refuse = (operation: string, errno: number) => () => {
    throw new RuntsError(operation, { errno });
  };
  const fetching = fakeHelper({ pidfdGetFd: refuse("fetch descriptor 5 of a process", EPERM) });
  assertEquals(
    fault(() => pass(fetching.helper, PROFILE)),
    "linux.seccomp: fetch the seccomp listener: fetch descriptor 5 of a process: " +
      "EPERM (operation not permitted): it takes CAP_SYS_PTRACE",
  );
  const connecting = fakeHelper({
    connectUnix: refuse('connect to socket "/agent.sock"', ECONNREFUSED),
  });
  assertEquals(
    fault(() => pass(connecting.helper, PROFILE)),
    'linux.seccomp.listenerPath: pass the seccomp listener to "/agent.sock": ' +
      "ECONNREFUSED (connection refused)",
  );
  assertEquals(connecting.calls.at(-1), ["close", 40]);
  const sending = fakeHelper({ sendFds: refuse("pass descriptors over a socket", 32) });
  assertEquals(
    fault(() => pass(sending.helper, PROFILE)),
    'linux.seccomp.listenerPath: pass the seccomp listener to "/agent.sock": ' +
      "EPIPE (broken pipe)",
  );
  assertEquals(sending.calls.slice(-2), [["close", 41], ["close", 40]]);
});
