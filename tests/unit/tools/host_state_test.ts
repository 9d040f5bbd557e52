import { assertEquals } from "@std/assert";
import { changes, type HostState, hostState, RUN_MARK } from "../../../tools/test/host_state.ts";
import { until } from "../../support/runtime.ts";

const NOTHING: HostState = {
  devices: new Map(),
  mounts: new Map(),
  network: new Map(),
  cgroups: new Map(),
  processes: new Map(),
};

Deno.test("changes names what is new, gone and different", () => {
  const before: HostState = {
    ...NOTHING,
    devices: new Map([["/dev/null", "a character device 259, mode 0666, owner 0:0"]]),
    mounts: new Map([["/a", "tmpfs / rw"], ["/b", "tmpfs / rw"]]),
    cgroups: new Map([["/sys/fs/cgroup/old", "left"]]),
    processes: new Map([["7 100", "sleep 1"]]),
  };
  const after: HostState = {
    devices: new Map([["/dev/null", "a character device 259, mode 0666, owner 100000:0"]]),
    mounts: new Map([["/b", "tmpfs / rw"], ["/c", "tmpfs / rw"]]),
    network: new Map([["dummy0", ""]]),
    cgroups: new Map([["/sys/fs/cgroup/new", "left"], ["/sys/fs/cgroup/busy", ""]]),
    processes: new Map([["7 100", "sleep 1"], ["8 200", "sleep 2"]]),
  };
  assertEquals(changes(before, before), []);
  assertEquals(changes(before, after), [
    'device "/dev/null" was a character device 259, mode 0666, owner 0:0 and is ' +
    "a character device 259, mode 0666, owner 100000:0",
    'mount "/a" is gone',
    'mount "/c" is new',
    'network device "dummy0" is new',
    'cgroup "/sys/fs/cgroup/new" is left',
    "process 8 is left: sleep 2",
  ]);
});

Deno.test("hostState finds a process by the mark of its run", async () => {
  const mark = crypto.randomUUID();
  const env = { [RUN_MARK]: mark };
  const child = new Deno.Command("sleep", { args: ["1234"], env }).spawn();
  try {
    // Before it executes the program, it has our environment.
    await until(
      "it is found",
      () =>
        [...hostState(mark).processes.values()].filter((one) => one.endsWith("sleep 1234"))
          .length === 1,
    );
    assertEquals(hostState(mark).devices.has("/dev/null"), true);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});
