/** Network devices that not every kernel has: ipvlan, vlan, and bridges that know virtual networks. */

import { assertEquals, assertMatch } from "@std/assert";
import { Systems } from "../../support/lxc_system.ts";
import { command } from "../../support/runtime.ts";

/** A pair of devices of the host, which are removed together. */
const HOST = "vdtest0";
const PEER = "vdtest9";

async function ip(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(["ip", ...args]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

async function withPair(body: (systems: Systems) => Promise<void>): Promise<void> {
  await ip("link", "add", HOST, "type", "veth", "peer", "name", PEER);
  try {
    await ip("link", "set", HOST, "up");
    await using systems = new Systems();
    await body(systems);
  } finally {
    await command(["ip", "link", "delete", HOST]);
  }
}

/** Whether the kernel makes such a device on top of another. */
async function makes(...kind: string[]): Promise<boolean> {
  const [under, over] = ["vdtest1", "vdtest2"];
  if ((await command(["ip", "link", "add", under, "type", "veth"])).code !== 0) return false;
  try {
    const made = await command(["ip", "link", "add", "link", under, "name", over, "type", ...kind]);
    return made.code === 0;
  } finally {
    await command(["ip", "link", "delete", under]);
  }
}

/** Whether bridges can tell virtual networks apart. */
async function filters(): Promise<boolean> {
  const made = await command([
    ...["ip", "link", "add", "vdtest3", "type", "bridge", "vlan_filtering", "1"],
  ]);
  if (made.code !== 0) return false;
  await command(["ip", "link", "delete", "vdtest3"]);
  return true;
}

/** What `ip -d link` says of a device in the container's network. */
async function details(systems: Systems, name: string, device: string): Promise<string> {
  const pid = (await systems.ok("info", "-n", name, "-pH")).trim();
  const line = ["nsenter", "-t", pid, "-n", "ip", "-d", "link", "show", device];
  const { code, stdout, stderr } = await command(line);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

function net(...lines: string[]): string[] {
  return ["lxc.net =", ...lines.map((line) => `lxc.net.0.${line}`)];
}

Deno.test({
  name: "ipvlan has its mode and its isolation",
  ignore: !await makes("ipvlan"),
  fn: () =>
    withPair(async (systems) => {
      const cases = [["l2", "private"], ["l3", "bridge"], ["l3s", "vepa"]] as const;
      for (const [mode, isolation] of cases) {
        const name = `ip-${mode}`;
        systems.add(
          name,
          net(
            ...["type = ipvlan", `link = ${HOST}`, "flags = up", `ipvlan.mode = ${mode}`],
            ...[`ipvlan.isolation = ${isolation}`, "ipv4.address = 10.79.1.5/24"],
          ),
        );
        await systems.start(name);
        const said = await details(systems, name, "eth0");
        assertMatch(said, new RegExp(`ipvlan +mode ${mode} ${isolation}`));
        assertMatch(await systems.inside(name, "ip addr show eth0"), /inet 10\.79\.1\.5\/24/);
        await systems.ok("stop", "-n", name, "-k");
      }
      assertEquals((await ip("-o", "link")).match(/ \S+@vdtest0/g), [` ${PEER}@${HOST}`]);
    }),
});

Deno.test({
  name: "vlan has its number",
  ignore: !await makes("vlan", "id", "5"),
  fn: () =>
    withPair(async (systems) => {
      systems.add(
        "tagged",
        net("type = vlan", `link = ${HOST}`, "flags = up", "vlan.id = 5", "name = office"),
      );
      await systems.start("tagged");
      assertMatch(await details(systems, "tagged", "office"), /vlan protocol 802\.1Q id 5 /);
      await systems.ok("stop", "-n", "tagged", "-k");
      assertEquals((await ip("-o", "link")).match(/ \S+@vdtest0/g), [` ${PEER}@${HOST}`]);
    }),
});

Deno.test({
  name: "a pair on a bridge is in the virtual networks that it is told",
  ignore: !await filters(),
  async fn() {
    await ip("link", "add", "vdbridge", "type", "bridge", "vlan_filtering", "1");
    try {
      await using systems = new Systems();
      systems.add(
        "ported",
        net(
          ...["type = veth", "link = vdbridge", "flags = up", "veth.pair = vdported"],
          ...["veth.vlan.id = 7", "veth.vlan.tagged.id = 8", "veth.vlan.tagged.id = 9"],
        ),
      );
      await systems.start("ported");
      const { stdout } = await command(["bridge", "vlan", "show", "dev", "vdported"]);
      const lines = stdout.trimEnd().split("\n").slice(1);
      assertEquals(lines.map((line) => line.replace("vdported", "").trim()).sort(), [
        "7 PVID Egress Untagged",
        "8",
        "9",
      ]);
      await systems.ok("stop", "-n", "ported", "-k");
      assertEquals(await ip("link", "show", "master", "vdbridge"), "");
    } finally {
      await command(["ip", "link", "delete", "vdbridge"]);
    }
  },
});
