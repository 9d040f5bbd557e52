import { assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { ProcessCaller } from "../../../lib/runtime/process_caller.ts";
import { Hosts } from "../../../lib/serve/hosts.ts";
import { Mounts } from "../../../lib/serve/remote.ts";

const helper = await loadHelper();

/** Mounts that have changed, or not. */
function mounts(): { version: number; areLocal: boolean } & Mounts {
  return { version: 0, areLocal: true } as { version: number; areLocal: boolean } & Mounts;
}

Deno.test("facts hold for whoever is in the same cgroups, until something is mounted", () => {
  const now = mounts();
  const hosts = new Hosts(now);
  const caller = new ProcessCaller();
  let looks = 0;
  const look = (proc: string) => `${proc} ${++looks}`;
  assertEquals(hosts.of(caller, "0::/a").get(look), "/proc/self 1");
  assertEquals(hosts.of(caller, "0::/a").get(look), "/proc/self 1");
  assertEquals(hosts.of(caller, "0::/b").get(look), "/proc/self 2");
  now.version++;
  assertEquals(hosts.of(caller, "0::/a").get(look), "/proc/self 3");
});

Deno.test("mounts have not changed while nobody mounts, and types that are not known are remote", () => {
  const folder = Deno.makeTempDirSync({ prefix: "runts-mounts-" });
  const line = (type: string) => `22 27 0:21 / /a rw,relatime - ${type} none rw\n`;
  const local = (text: string) => {
    Deno.writeTextFileSync(`${folder}/mountinfo`, text);
    return new Mounts(helper, folder).areLocal;
  };
  try {
    assertEquals(local(line("ext4") + line("tmpfs")), true);
    assertEquals(local(line("ext4") + line("fuse.sshfs")), false);
    assertEquals(local(""), false);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
