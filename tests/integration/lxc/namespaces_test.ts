/** Namespaces: those of others, ids of the host. */

import { assertEquals } from "@std/assert";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";

Deno.test("a namespace of a container, or of a process, is shared", async () => {
  await using systems = new Systems();
  systems.add("giver");
  systems.add("taker", ["lxc.net =", "lxc.namespace.share.net = giver"]);
  systems.add("other", ["lxc.net ="]);
  await systems.start("giver");
  await systems.start("taker");
  const network = await systems.inside("giver", "readlink /proc/self/ns/net");
  assertEquals(await systems.inside("taker", "readlink /proc/self/ns/net"), network);
  const pid = (await systems.ok("info", "-n", "giver", "-pH")).trim();
  await systems.start("other", "--share-net", pid);
  assertEquals(await systems.inside("other", "readlink /proc/self/ns/net"), network);
  await systems.ok("stop", "-n", "taker", "-k");
  await systems.ok("stop", "-n", "giver", "-k");
  assertEquals((await systems.run("start", "-n", "taker")).code, 1);
});

Deno.test({
  name: "ids are those of the host that the map gives",
  ...RUNTS_LXC_ONLY, // LXC wants root to have lines in /etc/subuid and /etc/subgid
  async fn() {
    await using systems = new Systems();
    systems.add("mapped", [
      "lxc.idmap = u 0 100000 65536",
      "lxc.idmap = g 0 100000 65536",
    ]);
    systems.open("mapped");
    await systems.start("mapped");
    const pid = (await systems.ok("info", "-n", "mapped", "-pH")).trim();
    assertEquals(Deno.statSync(`/proc/${pid}`).uid, 100000);
    const map = await systems.inside("mapped", "cat /proc/self/uid_map; id -u");
    assertEquals(map.trim().split(/\s+/), ["0", "100000", "65536", "0"]);
  },
});
