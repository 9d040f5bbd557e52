/** AppArmor profiles of containers and of exec, on a host that has it switched on. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { exists } from "../../support/look.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { PEER } from "../../support/runtime.ts";

const PROFILE = `runts-test-${Deno.pid}`;
/** The virtual machine has it. */
const OPTIONS = { ignore: !exists("/sys/kernel/security/apparmor/policy") };

/** Two profiles that allow everything, and `-reader` that lets nobody write to /tmp. */
async function parse(action: "--replace" | "--remove"): Promise<void> {
  const rules = "file, capability, network, mount, signal, unix, ptrace,";
  const flags = "flags=(attach_disconnected,mediate_deleted)";
  const text = `profile ${PROFILE} ${flags} { ${rules} }\n` +
    `profile ${PROFILE}-reader ${flags} { ${rules} deny /tmp/** w, }\n`;
  const process = new Deno.Command("apparmor_parser", {
    args: ["--skip-cache", action],
    stdin: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stderr } = await process.output();
  assertEquals({ success }, { success: true }, new TextDecoder().decode(stderr));
}

/** A container that sleeps under the first profile. */
async function confined(
  body: (runtime: TestRuntime, id: string, bundle: Bundle) => Promise<void>,
): Promise<void> {
  await parse("--replace");
  try {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.process.args = ["sleep", "1000"];
        config.process.apparmorProfile = PROFILE;
        config.process.noNewPrivileges = false;
        config.root.readonly = false;
      });
      const id = runtime.id();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      try {
        await body(runtime, id, bundle);
      } finally {
        await runtime.ok(["delete", "--force", id]);
      }
    });
  } finally {
    await parse("--remove");
  }
}

const CURRENT = "/proc/self/attr/current";

Deno.test(
  "a container and its exec have the AppArmor profile of the configuration",
  OPTIONS,
  () =>
    confined(async (runtime, id) => {
      const { pid } = await runtime.state(id);
      const label = Deno.readTextFileSync(`/proc/${pid}/attr/current`);
      assertEquals(label, `${PROFILE} (enforce)\n`);
      assertEquals(await runtime.ok(["exec", id, "cat", CURRENT]), label);
    }),
);

Deno.test(
  "exec --apparmor has a profile of its own, and it is in force",
  OPTIONS,
  () =>
    confined(async (runtime, id) => {
      const exec = (...words: string[]) =>
        runtime.run(["exec", "--apparmor", `${PROFILE}-reader`, id, ...words]);
      assertEquals((await exec("cat", CURRENT)).stdout, `${PROFILE}-reader (enforce)\n`);
      assertEquals((await exec("touch", "/tmp/file")).code, 1);
      assertEquals((await runtime.run(["exec", id, "touch", "/tmp/file"])).code, 0);
    }),
);

Deno.test(
  "exec --process has the container's profile where it names none",
  OPTIONS,
  () =>
    confined(async (runtime, id, bundle) => {
      const file = `${bundle.path}/process.json`;
      const process = { cwd: "/", user: { uid: 0, gid: 0 }, args: ["cat", CURRENT] };
      Deno.writeTextFileSync(file, JSON.stringify({ ...process, env: ["PATH=/bin"] }));
      const shown = await runtime.ok(["exec", "--process", file, id]);
      assertEquals(shown, `${PROFILE} (enforce)\n`);
    }),
);

Deno.test("exec names an AppArmor profile that is not loaded", {
  ignore: OPTIONS.ignore || PEER !== "runts", // the words are runts'
}, () =>
  confined(async (runtime, id) => {
    assertEquals(await runtime.run(["exec", "--apparmor", "no-such-profile", id, "true"]), {
      code: 255,
      stdout: "",
      stderr: `runts: exec "${id}": process.apparmorProfile: ` +
        'write "exec no-such-profile" to "/proc/self/attr/apparmor/exec": ' +
        "ENOENT (no such file or directory): AppArmor is not enabled, or does not know the label\n",
    });
  }));
