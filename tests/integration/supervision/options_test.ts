/** Options that cannot be, and places that cannot be used: each is named, and nothing is left. */

import { assertEquals, assertMatch } from "@std/assert";
import { supervisionTest } from "../../support/supervised.ts";

const WRONG: readonly (readonly [option: string, value: string, message: string])[] = [
  [
    "--restart",
    "sometimes",
    '"sometimes" is not a restart policy: as "no", "on-failure", "on-failure:3", "always" or "unless-stopped"',
  ],
  ["--restart-delay", "0", '"0" is not a duration: as "500ms" or "5s"'],
  ["--create-timeout", "soon", '"soon" is not a duration: as "500ms" or "5s"'],
  ["--stop-timeout", "-1", '"-1" is not a duration: as "500ms" or "5s"'],
  ["--label", "=shop", '"=shop" has no key'],
  ["--log-max-size", "-1", '"-1" is not the size of a file'],
  ["--log-max-files", "0", "0 is not a number from 1 to 1000"],
  ["--log-max-files", "1001", "1001 is not a number from 1 to 1000"],
];

supervisionTest("an option that cannot be is named", async (runtime, bundle) => {
  for (const [option, value, message] of WRONG) {
    const words = ["run", "--detach", option, value, "--bundle", bundle.path, runtime.id()];
    const { code, stdout, stderr } = await runtime.run(words);
    const told = `runts: run: option "${option}": ${message}\n`;
    assertEquals({ code, stdout, stderr }, { code: 1, stdout: "", stderr: told });
  }
});

supervisionTest("a log that cannot be made is named", async (runtime, bundle) => {
  const wrong = [
    [`${bundle.path}/no/log`, "ENOENT (no such file or directory)"],
    [bundle.path, "EISDIR (is a directory)"],
    [`${bundle.path}/config.json/log`, "ENOTDIR (not a directory)"],
  ] as const;
  for (const [path, why] of wrong) {
    for (const driver of ["cri", "raw"]) {
      const id = runtime.id();
      const options = ["--log-driver", driver, "--log-path", path, "--bundle", bundle.path, id];
      const { code, stderr } = await runtime.run(["run", "--detach", ...options]);
      assertEquals(code, 1);
      assertMatch(stderr, /^runts: run "[^"]+": watch process \d+ with log "[^"]+": .*\n$/);
      assertEquals(
        stderr.replace(/process \d+/, ""),
        `runts: run "${id}": watch  with log "${path}": ${why}\n`,
      );
    }
  }
});

supervisionTest("a directory where nothing can be kept is named", async (runtime, bundle) => {
  const wrong = [
    [`${bundle.path}/missing`, "ENOENT (no such file or directory)"],
    [`${bundle.path}/config.json`, "ENOTDIR (not a directory)"],
  ] as const;
  for (const [path, why] of wrong) {
    const id = runtime.id();
    const words = ["create", "--persist", path, "--bundle", bundle.path, id];
    const { code, stderr } = await runtime.run(words);
    const told = `runts: create "${id}": keep how processes end in "${path}": ${why}\n`;
    assertEquals({ code, stderr }, { code: 1, stderr: told });
  }
});

supervisionTest("names of processes are checked", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--supervised", "--bundle", bundle.path, id]);
  const wrong = [
    ["init", `"init" is the name of the container's program`],
    ["..", `invalid process name "..": it is a directory's own name`],
    [
      "a/b",
      'invalid process name "a/b": only letters, digits and "_", "+", "-", ".", "," are allowed',
    ],
  ] as const;
  for (const [name, message] of wrong) {
    const { code, stderr } = await runtime.run(["exec", "--name", name, id, "true"]);
    assertEquals({ code, stderr }, { code: 255, stderr: `runts: exec "${id}": ${message}\n` });
  }
  assertEquals(Array.from(Deno.readDirSync(`${runtime.root}/${id}/processes`), (one) => one.name), [
    "init",
  ]);
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("a stop may take no time at all", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"];
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--stop-timeout", "0s", "--bundle", bundle.path, id]);
  await runtime.ok(["stop", id]);
  await runtime.ok(["restart", id]);
  await runtime.ok(["stop", "--timeout", "0", id]);
  assertEquals(await runtime.ok(["wait", id]), "137\n");
  await runtime.ok(["delete", id]);
});

supervisionTest("who asks is named, whatever it is about", async (runtime, bundle) => {
  const { stderr } = await runtime.run(["inspect", "nobody"]);
  assertEquals(stderr, 'runts: inspect "nobody": container does not exist\n');
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--log-driver", "raw", "--bundle", bundle.path, id]);
  const since = await runtime.run(["logs", "--since", "1h", id]);
  assertEquals(
    since.stderr,
    `runts: logs "${id}": log driver "raw" keeps no times: read it without --since\n`,
  );
  await runtime.ok(["wait", id]);
  await runtime.ok(["delete", id]);
});
