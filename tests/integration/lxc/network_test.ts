/** Network devices: what is to be seen inside, and that nothing is left on the host. */

import { assertEquals, assertMatch } from "@std/assert";
import { IS_LXC } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { command } from "../../support/runtime.ts";

async function ip(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(["ip", ...args]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** A device of the host that is removed afterwards. */
async function withDevice(name: string, kind: string[], body: () => Promise<void>): Promise<void> {
  await ip("link", "add", name, "type", ...kind);
  try {
    await body();
  } finally {
    await command(["ip", "link", "delete", name]);
  }
}

/** Without the loopback device of the usual lines. */
function net(...lines: string[]): string[] {
  return ["lxc.net =", ...lines.map((line) => `lxc.net.0.${line}`)];
}

Deno.test("a pair of devices on a bridge, with addresses, a gateway and scripts", async () => {
  await withDevice("brltest0", ["bridge"], async () => {
    await ip("address", "add", "10.78.3.1/24", "dev", "brltest0");
    await ip("link", "set", "brltest0", "up");
    await using systems = new Systems();
    const script = `${systems.path}/script`;
    Deno.writeTextFileSync(script, `#!/bin/sh\necho "$@" >>${systems.path}/calls\n`, {
      mode: 0o755,
    });
    systems.add(
      "paired",
      net(
        "type = veth",
        "link = brltest0",
        "flags = up",
        "name = eth5",
        "veth.pair = vltest0",
        "hwaddr = 00:16:3e:01:02:03",
        "mtu = 1400",
        "ipv4.address = 10.78.3.5/24",
        "ipv4.gateway = 10.78.3.1",
        "ipv6.address = fd00:78::5/64",
        `script.up = ${script}`,
        `script.down = ${script}`,
      ),
    );
    await systems.start("paired");
    const link = await systems.inside("paired", "ip link show eth5");
    assertMatch(link, /eth5@.*UP.*mtu 1400[^]*link\/ether 00:16:3e:01:02:03/);
    const addresses = await systems.inside("paired", "ip addr show eth5");
    assertMatch(addresses, /inet 10\.78\.3\.5\/24 brd \S+\.255/);
    assertMatch(addresses, /inet6 fd00:78::5\/64/);
    assertMatch(await systems.inside("paired", "ip route"), /default via 10\.78\.3\.1 dev eth5/);
    assertMatch(await ip("link", "show", "vltest0"), /mtu 1400.*master brltest0.*\n.*ether fe:/);
    assertMatch(
      await systems.ok("info", "-n", "paired", "-i"),
      /IP: {13}10\.78\.3\.5\nIP: {13}fd00:78::5\n/,
    );
    const { stdout: stats } = await systems.run("info", "-n", "paired", "-SH");
    const traffic =
      /Link: {11}vltest0\n TX bytes: {6}(\d+)\n RX bytes: {6}(\d+)\n Total bytes: {3}(\d+)\n$/;
    const [, sent, received, total] = traffic.exec(stats)!.map(Number);
    assertEquals(total, sent! + received!);
    await systems.ok("stop", "-n", "paired", "-k");
    assertEquals(await ip("link", "show", "master", "brltest0"), "");
    assertEquals(
      Deno.readTextFileSync(`${systems.path}/calls`),
      "paired net up veth brltest0 vltest0\npaired net down veth brltest0 vltest0\n",
    );
  });
});

Deno.test("a device that belongs to one of the host", async () => {
  await withDevice("dltest0", ["veth", "peer", "name", "dltest9"], async () => {
    await ip("link", "set", "dltest0", "up");
    await using systems = new Systems();
    systems.add(
      "mac",
      net("type = macvlan", "link = dltest0", "flags = up", "macvlan.mode = bridge"),
    );
    await systems.start("mac");
    assertMatch(await systems.inside("mac", "ip link show eth0"), /eth0@/);
    await systems.ok("stop", "-n", "mac", "-k");
    // The other end of its own pair is the only one left.
    assertEquals((await ip("-o", "link")).match(/ \S+@dltest0/g), [" dltest9@dltest0"]);
  });
});

Deno.test("a device that is moved comes back under its name", async () => {
  await withDevice("dltest1", ["veth", "peer", "name", "dltest8"], async () => {
    await using systems = new Systems();
    systems.add("moved", net("type = phys", "link = dltest1", "name = inner", "flags = up"));
    await systems.start("moved");
    assertMatch(await systems.inside("moved", "ip link show inner"), /inner\S*: .*[<,]UP[,>]/);
    assertEquals((await command(["ip", "link", "show", "dltest1"])).code, 1);
    await systems.ok("stop", "-n", "moved", "-k");
    assertMatch(await ip("link", "show", "dltest1"), /dltest1@/);
  });
});

/** What `ip -d link` says of eth0 inside. */
async function detailsOf(systems: Systems, name: string): Promise<string> {
  const pid = (await systems.ok("info", "-n", name, "-pH")).trim();
  const { stdout } = await command([
    "nsenter",
    "-t",
    pid,
    "-n",
    "ip",
    "-d",
    "link",
    "show",
    "eth0",
  ]);
  return stdout;
}

Deno.test("each mode of macvlan is that of the device", async () => {
  await withDevice("dltest2", ["veth", "peer", "name", "dltest7"], async () => {
    await using systems = new Systems();
    for (const mode of ["private", "vepa", "bridge", "passthru"]) {
      systems.add(mode, net("type = macvlan", "link = dltest2", `macvlan.mode = ${mode}`));
      await systems.start(mode);
      assertMatch(await detailsOf(systems, mode), new RegExp(`macvlan mode ${mode} `));
      await systems.ok("stop", "-n", mode, "-k");
    }
  });
});

Deno.test("a pair that routes has routes on the host, and answers for its addresses", async () => {
  await withDevice("dltest3", ["veth", "peer", "name", "dltest6"], async () => {
    await ip("address", "add", "10.78.4.1/24", "dev", "dltest3");
    await ip("link", "set", "dltest3", "up");
    await using systems = new Systems();
    systems.add(
      "routed",
      net(
        "type = veth",
        "veth.mode = router",
        "link = dltest3",
        "flags = up",
        "veth.pair = vltest3",
        "l2proxy = 1",
        "ipv4.address = 10.78.4.9/32",
        "ipv4.gateway = 10.78.4.1",
        "veth.ipv4.route = 10.78.5.0/24",
      ),
    );
    const forwards = (value: string) =>
      Deno.writeTextFileSync("/proc/sys/net/ipv4/conf/dltest3/forwarding", value);
    forwards("0");
    assertEquals((await systems.run("start", "-n", "routed")).code, 1);
    assertEquals(await systems.state("routed"), "STOPPED");
    forwards("1");
    await systems.start("routed");
    const routes = await ip("route", "show", "dev", "vltest3");
    assertMatch(routes, /^10\.78\.4\.9 /m);
    assertMatch(routes, /^10\.78\.5\.0\/24 /m);
    assertEquals((await ip("link", "show", "vltest3")).includes("master"), false);
    const inside = await systems.inside("routed", "ip route");
    assertMatch(inside, /default via 10\.78\.4\.1 dev eth0/);
    assertMatch(inside, /10\.78\.4\.1 dev eth0/);
    assertMatch(await ip("neigh", "show", "proxy"), /10\.78\.4\.9 dev dltest3/);
    await systems.ok("stop", "-n", "routed", "-k");
    // LXC leaves it behind.
    assertEquals((await ip("neigh", "show", "proxy")).includes("10.78.4.9"), IS_LXC);
    assertEquals(await ip("route", "show", "10.78.5.0/24"), "");
    assertEquals((await command(["ip", "link", "show", "vltest3"])).code, 1);
  });
});

Deno.test("gateways: the first address of the link, and the device itself", async () => {
  await withDevice("brltest4", ["bridge"], async () => {
    await ip("address", "add", "10.78.6.1/24", "dev", "brltest4");
    await ip("link", "set", "brltest4", "up");
    await using systems = new Systems();
    const common = ["type = veth", "link = brltest4", "flags = up", "ipv4.address = 10.78.6.7/24"];
    systems.add("auto", net(...common, "ipv4.gateway = auto"));
    systems.add("device", net(...common, "ipv4.gateway = dev"));
    await systems.start("auto");
    assertMatch(await systems.inside("auto", "ip route"), /^default via 10\.78\.6\.1 dev eth0/m);
    await systems.ok("stop", "-n", "auto", "-k");
    await systems.start("device");
    assertMatch(await systems.inside("device", "ip route"), /^default dev eth0/m);
  });
});

Deno.test("devices have names in their order, and each its own", async () => {
  await withDevice("brltest5", ["bridge"], async () => {
    await using systems = new Systems();
    systems.add("several", [
      ...net("type = veth", "link = brltest5"),
      "lxc.net.1.type = veth",
      "lxc.net.1.name = lan",
      "lxc.net.2.type = veth",
      "lxc.net.2.hwaddr = 00:16:3e:xx:xx:01",
    ]);
    await systems.start("several");
    const devices = await systems.inside("several", "ls /sys/class/net");
    assertEquals(devices.trim().split(/\s+/).toSorted(), ["eth0", "eth1", "lan", "lo"]);
    assertMatch(await systems.inside("several", "ip link show eth1"), /ether 00:16:3e:..:..:01/);
    await systems.ok("stop", "-n", "several", "-k");
    assertEquals((await ip("-o", "link")).includes("brltest5 state UP"), false);
    assertEquals(await ip("link", "show", "master", "brltest5"), "");
  });
});

Deno.test("virtual networks need a bridge that knows them", async () => {
  await withDevice("brltest6", ["bridge"], async () => {
    await using systems = new Systems();
    systems.add("tagged", net("type = veth", "link = brltest6", "veth.vlan.id = 7"));
    assertEquals((await systems.run("start", "-n", "tagged")).code, 1);
    assertEquals(await systems.state("tagged"), "STOPPED");
    assertEquals(await ip("link", "show", "master", "brltest6"), "");
  });
});

Deno.test("the network of the host is shared on request", async () => {
  await using systems = new Systems();
  systems.add("shared", net("type = none"));
  await systems.start("shared");
  const own = Deno.readLinkSync("/proc/self/ns/net");
  assertEquals(await systems.inside("shared", "readlink /proc/self/ns/net"), `${own}\n`);
});

Deno.test("a bridge that is not there keeps the container from starting, and nothing is left", async () => {
  await using systems = new Systems();
  systems.add("unbridged", net("type = veth", "link = nobridge0", "veth.pair = vltest1"));
  assertEquals((await systems.run("start", "-n", "unbridged")).code, 1);
  assertEquals(await systems.state("unbridged"), "STOPPED");
  assertEquals((await command(["ip", "link", "show", "vltest1"])).code, 1);
});
