/** `execute`, `start -F` and what `attach` gives a program. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";

Deno.test("execute gives the code of its program, and waits for orphans", async () => {
  await using systems = new Systems();
  systems.add("one");
  const cases: [script: string, code: number][] = [
    ["exit 7", 7],
    ["kill -9 $$", 137],
    ["(sleep 0.3; touch /tmp/late) & exit 3", 3],
  ];
  for (const [script, expected] of cases) {
    const { code } = await systems.run("execute", "-n", "one", "--", "/bin/sh", "-c", script);
    assertEquals(code, expected, script);
  }
  assert(Deno.statSync(`${systems.rootfs("one")}/tmp/late`).isFile);
  assertEquals((await systems.run("execute", "-n", "one", "--", "/nonexistent")).code, 255);
  assertEquals(await systems.state("one"), "STOPPED");
});

Deno.test("execute has the program as a child of init, and what it writes", async () => {
  await using systems = new Systems();
  systems.add("piped");
  const script = "grep PPid /proc/self/status; echo told >&2";
  const output = await systems.run("execute", "-n", "piped", "--", "/bin/sh", "-c", script);
  assertMatch(output.stdout + output.stderr, /PPid:\s+2\s/);
  assertMatch(output.stdout + output.stderr, /told/);
});

Deno.test("init has its own environment, and nothing of the caller's", async () => {
  await using systems = new Systems();
  systems.add("clean", ["lxc.environment = OWN=1"]);
  await systems.start("clean");
  const text = await systems.inside("clean", "cat /proc/1/environ");
  assertEquals(text.split("\0").filter((one) => one !== "").toSorted(), ["OWN=1", "container=lxc"]);
});

Deno.test("attach: codes, environment, ids", async () => {
  await using systems = new Systems();
  systems.add("joined");
  await systems.start("joined");
  const code = async (...words: string[]) =>
    (await systems.run("attach", "-n", "joined", "--", ...words)).code;
  assertEquals(await code("/bin/sh", "-c", "exit 7"), 7);
  assertEquals(await code("/bin/nonexistent"), 127);
  assertEquals(await code("/etc/passwd"), 126);
  assertEquals(await code("/bin/sh", "-c", "kill -9 $$"), 137);
  const env = async (...options: string[]) => {
    const text = await systems.ok("attach", "-n", "joined", ...options, "--", "/bin/env");
    return text.trimEnd().split("\n").filter((one) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(one));
  };
  assert((await env()).includes("container=lxc"));
  assert((await env()).includes(`PATH=${Deno.env.get("PATH")}`));
  assertEquals(
    (await env("--clear-env", "-v", "A=b")).filter((one) => !/^(HOME|TERM)=/.test(one)).toSorted(),
    [
      "A=b",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "container=lxc",
    ],
  );
  assertEquals(
    await systems.ok(
      "attach",
      "-n",
      "joined",
      "-u",
      "5",
      "-g",
      "6",
      "--",
      "/bin/sh",
      "-c",
      "id -u; id -g",
    ),
    "5\n6\n",
  );
  await systems.ok("stop", "-n", "joined", "-k");
  assertEquals(await code("/bin/true"), 1);
});

Deno.test({
  name: "start -F shows the console, also where there is no terminal",
  ...RUNTS_LXC_ONLY, // LXC shows nothing then
  async fn() {
    await using systems = new Systems();
    systems.add("shown", [], "#!/bin/sh\necho one\nexit 7\n");
    const { code, stdout } = await systems.run("start", "-n", "shown", "-F");
    assertEquals([code, stdout], [0, "one\r\n"]);
  },
});
