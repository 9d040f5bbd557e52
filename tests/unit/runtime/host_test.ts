/** Facts of the host: looked up when they are asked for, and again when that is too long ago. */

import { assert, assertEquals } from "@std/assert";
import { detectHost } from "../../../lib/cgroup/hierarchies.ts";
import { bootId, HostFacts, isInUserNamespace } from "../../../lib/runtime/host.ts";

/** A directory of /proc with these files, and how to change one. */
async function withProc(
  files: Readonly<Record<string, string>>,
  body: (proc: string, write: (name: string, text: string) => void) => Promise<void> | void,
): Promise<void> {
  const proc = Deno.makeTempDirSync({ prefix: "runts-proc-" });
  const write = (name: string, text: string) => Deno.writeTextFileSync(`${proc}/${name}`, text);
  try {
    for (const [name, text] of Object.entries(files)) write(name, text);
    await body(proc, write);
  } finally {
    Deno.removeSync(proc, { recursive: true });
  }
}

const V2 = "20 1 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
const ELSEWHERE = "20 1 0:30 / /mnt/groups rw - cgroup2 cgroup2 rw\n";

const placeOf = (host: HostFacts) => detectHost({ host }).hierarchies[0]?.mountPoint;

Deno.test("a remount is seen once what is known is too old", () =>
  withProc({ mountinfo: V2, cgroup: "0::/\n" }, async (proc, write) => {
    const host = new HostFacts(proc, 20);
    assertEquals(placeOf(host), "/sys/fs/cgroup");
    write("mountinfo", ELSEWHERE);
    const changed = performance.now();
    while (placeOf(host) !== "/mnt/groups") {
      assert(performance.now() - changed < 5000, "it is never seen");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }));

Deno.test("until then, and unless it is renewed, a fact is looked up once", () =>
  withProc({ mountinfo: V2, cgroup: "0::/\n" }, (proc, write) => {
    const host = new HostFacts(proc, 60_000);
    const other = new HostFacts(proc, 60_000);
    assertEquals(placeOf(host), "/sys/fs/cgroup");
    write("mountinfo", ELSEWHERE);
    assertEquals([placeOf(host), placeOf(other)], ["/sys/fs/cgroup", "/mnt/groups"]);
    host.renew();
    assertEquals(placeOf(host), "/mnt/groups");
  }));

Deno.test("the user namespace is that of the process", () =>
  withProc({ uid_map: "         0          0 4294967295\n" }, (proc, write) => {
    assertEquals(new HostFacts(proc).get(isInUserNamespace), false);
    write("uid_map", "         0       1000          1\n");
    assertEquals(new HostFacts(proc).get(isInUserNamespace), true);
  }));

Deno.test("the boot's id is one line", () => {
  assert(/^[0-9a-f-]{36}$/.test(new HostFacts("/proc/self").get(bootId)));
});
