/** device: nodes and network devices that come into a container that runs, and go again. */

import { assertEquals, assertMatch } from "@std/assert";
import { IS_LXC, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { command } from "../../support/runtime.ts";

/** Only these, of which the device that is added is none. */
const DEVICES = [
  "lxc.cgroup.devices.deny = a",
  "lxc.cgroup.devices.allow = c *:* m",
  "lxc.cgroup.devices.allow = c 1:3 rwm",
  "lxc.cgroup.devices.allow = c 1:5 rwm",
  "lxc.cgroup.devices.allow = c 5:* rwm",
  "lxc.cgroup.devices.allow = c 136:* rwm",
];
/** /dev/kmsg reads and writes; every host has it. */
const KMSG = "/dev/kmsg";

Deno.test("a node is made and may be used; then neither", async () => {
  await using systems = new Systems();
  systems.add("a", DEVICES);
  await systems.start("a");
  const opens = "if (: < /dev/kmsg) 2>/dev/null; then echo opens; else echo no; fi";
  await systems.inside("a", "mknod /dev/kmsg c 1 11");
  assertEquals(await systems.inside("a", opens), "no\n");
  await systems.inside("a", "rm /dev/kmsg");
  // LXC complains of another process, too.
  const { code } = await systems.run("device", "-n", "a", "--", "add", KMSG);
  assertEquals(code, 0);
  assertMatch(await systems.inside("a", "ls -l /dev/kmsg"), /^c.* 1, +11 /);
  assertEquals(await systems.inside("a", opens), "opens\n");
  await systems.ok("device", "-n", "a", "--", "del", KMSG);
  assertEquals(await systems.inside("a", "ls /dev | grep kmsg || echo gone"), "gone\n");
  await systems.inside("a", "mknod /dev/kmsg c 1 11");
  assertEquals(await systems.inside("a", opens), "no\n");
});

// LXC 5.0.2 fails with another path.
Deno.test("a node has another path, and what was allowed stays so", RUNTS_LXC_ONLY, async () => {
  await using systems = new Systems();
  systems.add("a", DEVICES);
  await systems.start("a");
  await systems.ok("device", "-n", "a", "--", "add", KMSG, "/dev/log1");
  await systems.ok("device", "-n", "a", "--", "add", "/dev/full", "/dev/full1");
  const opens = "(: < /dev/log1) && (: < /dev/full1) && (: < /dev/zero) && echo open";
  assertEquals(await systems.inside("a", opens), "open\n");
});

// LXC makes no directories.
Deno.test("no link in the container leads out of it", RUNTS_LXC_ONLY, async () => {
  await using systems = new Systems();
  systems.add("a");
  await systems.start("a");
  const outside = Deno.makeTempDirSync({ prefix: "runts-lxc-outside-" });
  try {
    await systems.inside("a", `ln -s ${outside} /dev/out`);
    const { code, stderr } = await systems.run(
      ...["device", "-n", "a", "--", "add", "/dev/zero", "/dev/out/zero"] as const,
    );
    const made = 'make device "/dev/out/zero" in the container: ';
    assertEquals([code, stderr.includes(made)], [1, true]);
    assertEquals([...Deno.readDirSync(outside)], []);
    await systems.ok("device", "-n", "a", "--", "add", "/dev/zero", "/dev/x/y/zero");
    assertMatch(await systems.inside("a", "ls -l /dev/x/y"), /c.* 1, +5 .*zero/);
  } finally {
    Deno.removeSync(outside, { recursive: true });
  }
});

// LXC looks into the namespace of another process here.
Deno.test(
  "a network device moves in under another name, and out again",
  RUNTS_LXC_ONLY,
  async () => {
    await using systems = new Systems();
    systems.add("a");
    await systems.start("a");
    await command(["ip", "link", "add", "rtsdev0", "type", "veth", "peer", "name", "rtsdev1"]);
    try {
      await systems.ok("device", "-n", "a", "--", "add", "rtsdev0", "eth7");
      assertMatch(await systems.inside("a", "ip link"), / eth7@/);
      assertEquals((await command(["ip", "link", "show", "rtsdev0"])).code, 1);
      await systems.inside("a", "ip link set eth7 up");
      await systems.ok("device", "-n", "a", "--", "del", "eth7", "rtsdev0");
      assertEquals((await systems.inside("a", "ip link")).includes("eth7"), false);
      assertEquals((await command(["ip", "link", "show", "rtsdev0"])).code, 0);
    } finally {
      await command(["ip", "link", "del", "rtsdev1"]);
    }
  },
);

Deno.test("what cannot be added is an error", async () => {
  await using systems = new Systems();
  systems.add("a");
  const stopped = await systems.run("device", "-n", "a", "--", "add", "/dev/zero");
  assertEquals(stopped.code, 1);
  await systems.start("a");
  const cases: [args: string[], message: string][] = [
    [["add", "/dev/none"], '"/dev/none" is no device node of the host'],
    [["add", "/etc/passwd"], '"/etc/passwd" is no device node of the host'],
    [["add", "nothing9"], '"nothing9" is neither a network device nor a device node of the host'],
    [["del", "/dev/full", "/etc/passwd"], "ENODEV (no such device)"],
    [["add"], "lxc device: missing argument DEVICE"],
    [["adt", "/dev/zero"], 'lxc device: "adt" is neither add nor del: did you mean "add"?'],
  ];
  for (const [words, message] of cases) {
    const { code, stderr } = await systems.run("device", "-n", "a", "--", ...words);
    assertEquals(code, 1, words.join(" "));
    if (!IS_LXC) assertEquals(stderr.endsWith(`${message}\n`), true, stderr);
  }
  assertMatch(await systems.inside("a", "cat /etc/passwd"), /^root/);
});

// LXC makes a node that cannot be opened.
Deno.test(
  "a container whose ids are mapped is told what to do instead",
  RUNTS_LXC_ONLY,
  async () => {
    await using systems = new Systems();
    systems.add("a", ["lxc.idmap = u 0 100000 65536", "lxc.idmap = g 0 100000 65536"]);
    await command(["chown", "-R", "100000:100000", systems.rootfs("a")]);
    Deno.chmodSync(systems.path, 0o755);
    await systems.start("a");
    const { code, stderr } = await systems.run(
      "device",
      "-n",
      "a",
      "--",
      "add",
      "/dev/zero",
      "/dev/z",
    );
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^runts: device "a\+[0-9a-f]{8}": the container's ids are mapped: it can open no device node: bind the node with lxc.mount.entry\n$/,
    );
  },
);
