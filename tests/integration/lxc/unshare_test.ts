/** unshare: a program of the host in namespaces of its own. */

import { assertEquals, assertMatch } from "@std/assert";
import { lxc, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { command, until } from "../../support/runtime.ts";

async function unshare(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await lxc("unshare", args);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

Deno.test("unshare makes the namespaces that are named, and no others", async () => {
  const cases: [flag: string, file: string][] = [
    ["MOUNT", "mnt"],
    ["UTSNAME", "uts"],
    ["IPC", "ipc"],
    ["NETWORK", "net"],
    ["CGROUP", "cgroup"],
  ];
  for (const [flag, file] of cases) {
    const files = cases.map(([, one]) => `/proc/self/ns/${one}`);
    const links = (await unshare("-s", flag, "--", "readlink", ...files)).trimEnd().split("\n");
    const fresh = files.filter((one, index) => links[index] !== Deno.readLinkSync(one));
    assertEquals(fresh, [`/proc/self/ns/${file}`]);
  }
  assertEquals(await unshare("-s", "PID|UTSNAME", "--", "sh", "-c", "echo $$"), "1\n");
});

Deno.test("unshare gives a host name that the host does not get", async () => {
  const before = Deno.hostname();
  assertEquals(await unshare("-s", "UTSNAME", "-H", "other", "--", "hostname"), "other\n");
  assertEquals(Deno.hostname(), before);
});

Deno.test({
  name: "unshare mounts what belongs to the namespaces",
  ...RUNTS_LXC_ONLY, // LXC leaves an empty /proc
  async fn() {
    const before = Deno.readTextFileSync("/proc/self/mountinfo");
    const script = "echo /proc/[0-9]*; grep -c ' /dev/mqueue mqueue' /proc/mounts";
    const text = await unshare("-s", "PID|MOUNT", "-M", "--", "sh", "-c", script);
    assertMatch(text, /^\/proc\/1( \/proc\/\d)*\n[1-9]\d*\n$/);
    assertEquals(Deno.readTextFileSync("/proc/self/mountinfo"), before);
  },
});

Deno.test("unshare does without what it needs to be told", async () => {
  assertEquals((await lxc("unshare", ["--", "true"])).code, 1);
  assertEquals((await lxc("unshare", ["-s", "UTSNAME"])).code, 1);
  assertEquals((await lxc("unshare", ["-s", "NONSENSE", "--", "true"])).code, 1);
});

Deno.test({
  name: "unshare gives the code of its program, maps the caller's ids and moves devices",
  ...RUNTS_LXC_ONLY, // LXC gives 1 for each, maps no id but -u's, and goes on without a device
  async fn() {
    const code = async (...args: string[]) => (await lxc("unshare", args)).code;
    assertEquals(await code("-s", "PID", "--", "sh", "-c", "exit 7"), 7);
    assertEquals(await code("-s", "IPC", "--", "sh", "-c", "kill -9 $$"), 137);
    assertEquals(await code("-s", "PID", "--", "/nonexistent"), 127);
    assertEquals(await code("-s", "IPC", "--", "/etc/passwd"), 126);
    const map = await unshare(
      "-s",
      "USER",
      "-u",
      "5",
      "--",
      "sh",
      "-c",
      "id -u; id -g; cat /proc/self/uid_map",
    );
    assertMatch(map, /^5\n0\n\s+5\s+0\s+1\n$/);
    const { stderr } = await lxc("unshare", ["-s", "NETWORK", "-i", "nodevice9", "--", "true"]);
    assertMatch(stderr, /network device "nodevice9"/);
    await command(["ip", "link", "add", "ultest0", "type", "veth", "peer", "name", "ultest1"]);
    try {
      assertMatch(await unshare("-s", "NETWORK", "-i", "ultest1", "--", "ip", "link"), /ultest1@/);
    } finally {
      await command(["ip", "link", "delete", "ultest0"]);
    }
  },
});

Deno.test("unshare -d does not wait", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const script = `while [ ! -e ${directory}/end ]; do sleep 0.02; done; touch ${directory}/ended`;
    assertEquals((await lxc("unshare", ["-s", "IPC", "-d", "--", "sh", "-c", script])).code, 0);
    Deno.writeTextFileSync(`${directory}/end`, "");
    await until(
      "it has ended",
      () => Array.from(Deno.readDirSync(directory), ({ name }) => name).includes("ended"),
    );
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
