/** What is not as a record says is left to Deno, which does what it always does. */

import { assertEquals } from "@std/assert";
import { cgroupDirectories } from "../../support/host.ts";
import { RUNTIME, until } from "../../support/runtime.ts";
import { assertState, ended, idle, prepared, SHORT, tell } from "../../support/cold.ts";

/** What makes a record void; `undo` for what would be in the way of what comes next. */
const ODDITIES: Readonly<Record<string, (directory: string) => void>> = {
  "another status": (directory) => {
    const path = `${directory}/status`;
    Deno.writeTextFileSync(path, Deno.readTextFileSync(path) + "\n");
  },
  "another copy of the configuration": (directory) => {
    const path = `${directory}/config.json`;
    Deno.writeTextFileSync(path, Deno.readTextFileSync(path) + "\n");
  },
  "a record that others may read": (directory) => Deno.chmodSync(`${directory}/prepared`, 0o644),
  "a record of somebody else": (directory) => Deno.chownSync(`${directory}/prepared`, 1234, 0),
  "a record with another name": (directory) =>
    Deno.linkSync(`${directory}/prepared`, `${directory}/other`),
  "a record behind a link": (directory) => {
    Deno.renameSync(`${directory}/prepared`, `${directory}/other`);
    Deno.symlinkSync("other", `${directory}/prepared`);
  },
  "half a record": (directory) => Deno.truncateSync(`${directory}/prepared`, 500),
  "an empty record": (directory) => Deno.truncateSync(`${directory}/prepared`, 0),
  "a longer record": (directory) => Deno.truncateSync(`${directory}/prepared`, 70_000),
  "no record": (directory) => Deno.removeSync(`${directory}/prepared`),
  "a directory in its place": (directory) => {
    Deno.removeSync(`${directory}/prepared`);
    Deno.mkdirSync(`${directory}/prepared`);
  },
  "the record of another build": (directory) => change(`${directory}/prepared`, 16),
  "the record of another boot": (directory) => change(`${directory}/prepared`, 48),
  "the record of another process": (directory) => change(`${directory}/prepared`, 88),
};

function change(path: string, at: number): void {
  const bytes = Deno.readFileSync(path);
  bytes[at]! ^= 1;
  Deno.writeFileSync(path, bytes);
}

for (const [name, make] of Object.entries(ODDITIES)) {
  // A wrong start time says that init is gone, so it is Deno's that must not be believed to differ.
  const lies = name === "the record of another process";
  prepared(`${name} is left to Deno`, idle, async (id, call, runtime) => {
    make(`${runtime.root}/${id}`);
    if (lies) return await assertState(call, id, "stopped").then(() => {});
    const { pid } = await assertState(call, id, "created", true);
    assertEquals(await call("start", id), { ...SHORT, cold: true });
    assertEquals((await assertState(call, id, "running", true)).pid, pid);
    assertEquals(await call("kill", id, "KILL"), { ...SHORT, cold: true });
    await ended(call, id);
    assertEquals(await call("delete", id), { ...SHORT, cold: true });
  });
}

prepared(
  "the record is no business of a user who is not its owner",
  idle,
  async (id, _, runtime) => {
    Deno.chmodSync(runtime.root, 0o755);
    Deno.chmodSync(`${runtime.root}/${id}`, 0o755);
    const line = [
      "--reuid=65534",
      "--clear-groups",
      RUNTIME,
      "--root",
      runtime.root,
      "kill",
      id,
      "9",
    ];
    const told = await tell(line, [], { executable: "setpriv" });
    assertEquals(told.code, 1);
    await assertState((...args) => tell(["--root", runtime.root, ...args]), id, "created");
  },
);

prepared(
  "a container that is locked is left to Deno, which waits",
  idle,
  async (id, call, runtime) => {
    const lock = `${runtime.root}/${id}/lock`;
    const holder = new Deno.Command("flock", {
      args: [lock, "sh", "-c", "echo held; read line"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await holder.stdout.getReader().read();
    const started = call("start", id);
    await until("it waits", () => isWaiting(lock));
    await holder.stdin.close();
    await holder.status;
    assertEquals(await started, { ...SHORT, cold: true });
    await assertState(call, id, "running");
  },
);

/** Whether somebody has opened the lock beside the holder and its shell. */
function isWaiting(lock: string): boolean {
  const openers = [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return /^\d+$/.test(name) &&
        [...Deno.readDirSync(`/proc/${name}/fd`)].some((fd) =>
          Deno.readLinkSync(`/proc/${name}/fd/${fd.name}`) === lock
        );
    } catch {
      return false;
    }
  });
  return openers.length > 2;
}

prepared("cgroups that are not as recorded are left to Deno", idle, async (id, call) => {
  const [directory] = cgroupDirectories("/sys/fs/cgroup", 3).filter((path) =>
    path.endsWith(`/${id}`)
  );
  Deno.mkdirSync(`${directory}/inner`);
  assertEquals(await call("delete", "--force", id), { ...SHORT, cold: true });
  assertEquals(cgroupDirectories("/sys/fs/cgroup", 3).filter((path) => path.includes(id)), []);
});

prepared(
  "a stopped container with somebody in its cgroup is left to Deno",
  idle,
  async (id, call) => {
    await call("start", id);
    const sleeper = new Deno.Command("sleep", { args: ["1000"] }).spawn();
    const all = cgroupDirectories("/sys/fs/cgroup", 3).filter((path) => path.endsWith(`/${id}`));
    for (const path of all) Deno.writeTextFileSync(`${path}/cgroup.procs`, `${sleeper.pid}`);
    await call("kill", id, "KILL");
    await ended(call, id);
    assertEquals(await call("delete", id), { ...SHORT, cold: true });
    assertEquals((await sleeper.status).signal, "SIGKILL");
  },
);
