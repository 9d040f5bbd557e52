/** A service manager hears of readiness from the caller's process, whoever works for it (sd_notify(3)). */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { runtimeTest } from "../../support/host.ts";
import { exists } from "../../support/look.ts";
import { addPayload } from "../../support/payload.ts";
import { RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";

/** Says who has sent the first datagram, and what. */
const MANAGER = `import socket, struct, sys
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
path = sys.argv[1]
listening.bind("\\0" + path[1:] if path[0] == "@" else path)
open(sys.argv[2], "w").close()
data, others, flags, address = listening.recvmsg(4096, 256)
pid = struct.unpack("iii", others[0][2])[0]
print(pid, data.decode(), end="")
`;

for (const kind of ["a file", "a name"] as const) {
  runtimeTest(`READY=1 comes from the front, at ${kind}`, RUNTS_ONLY, async (runtime) => {
    await using brain = await WarmBrain.start();
    using bundle = new Bundle((config) => {
      config.process.args = ["sh", "-c", "payload notify READY=1; sleep 1000"];
    });
    await addPayload(bundle, "payload");
    const listens = `${bundle.path}/listens`;
    const socket = kind === "a file" ? `${bundle.path}/manager` : `@${bundle.path}/manager`;
    const manager = new Deno.Command("python3", {
      args: ["-c", MANAGER, socket, listens],
      ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
    }).spawn();
    await until("the manager listens", () => exists(listens));
    const id = runtime.id();
    const env = { ...brain.env, NOTIFY_SOCKET: socket };
    await runtime.ok(["create", "--bundle", bundle.path, id], { env });
    const start = new Deno.Command(RUNTIME, {
      args: ["--root", runtime.root, "start", id],
      ...{ env, stdin: "null", stdout: "null", stderr: "inherit" },
    }).spawn();
    const said = new TextDecoder().decode((await manager.output()).stdout);
    const { pid } = await runtime.state(id);
    assertEquals(said, `${start.pid} READY=1\nMAINPID=${pid}\n`);
    assertEquals((await start.status).code, 0);
    assertEquals(await brain.done(), 2);
    await runtime.ok(["delete", "--force", id]);
  });
}
