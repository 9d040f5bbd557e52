/** Nothing that hooks and programs are given has a length of its own: what the kernel takes, comes through. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { hook, KINDS } from "../../support/hooks.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Counts what it reads. */
const counting = (log: string) => (kind: string) => [kind, [hook(`wc -c >${log}/${kind}`)]];

for (const length of [60 * KIB, 64 * KIB, 65 * KIB, 256 * KIB, 5 * MIB]) {
  Deno.test({
    name: `hooks of every kind read a state document with ${length / KIB} KiB of annotations`,
    ignore: PEER === "crun", // 1.8 writes it to a pipe and hangs
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle();
        const log = `${bundle.path}/log`;
        Deno.mkdirSync(log);
        const { config } = bundle;
        config.mounts.push({ destination: log, source: log, type: "bind", options: ["bind"] });
        config.process.args = ["sleep", "1000"];
        config.annotations = { "org.example.long": "x".repeat(length), "org.example.ä": "ö" };
        config.hooks = Object.fromEntries(KINDS.map(counting(log)));
        bundle.save();
        const id = runtime.id();
        await runtime.ok(["create", "--bundle", bundle.path, id]);
        assertEquals((await runtime.state(id)).annotations, config.annotations);
        await runtime.ok(["start", id]);
        await runtime.ok(["delete", "--force", id]);
        for (const kind of KINDS) {
          const read = Number(Deno.readTextFileSync(`${log}/${kind}`));
          assertEquals(read > length && read < length + 1000, true, `${kind}: ${read}`);
        }
      }),
  });
}

Deno.test("a hook inside reads the whole document", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    for (const noNewPrivileges of [true, false]) {
      using bundle = new Bundle();
      const log = `${bundle.path}/log`;
      Deno.mkdirSync(log);
      const { config } = bundle;
      config.mounts.push({ destination: log, source: log, type: "bind", options: ["bind"] });
      config.annotations = { long: "ä".repeat(MIB) };
      config.process.noNewPrivileges = noNewPrivileges;
      // Without no_new_privs it is loaded before the wait for the start.
      const syscalls = [{ names: ["keyctl"], action: "SCMP_ACT_ERRNO" }];
      config.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls };
      const kinds = ["createContainer", "startContainer"];
      config.hooks = Object.fromEntries(
        kinds.map((kind) => [kind, [1, 2].map((n) => hook(`cat >${log}/${kind}${n}`))]),
      );
      bundle.save();
      const id = runtime.id();
      await runtime.ok(["run", "--bundle", bundle.path, id]);
      for (
        const [kind, status] of [["createContainer", "creating"], ["startContainer", "created"]]
      ) {
        for (const n of [1, 2]) {
          const { ociVersion: _, ...state } = JSON.parse(
            Deno.readTextFileSync(`${log}/${kind}${n}`),
          );
          const { annotations } = config;
          assertEquals(state, { id, status, pid: 1, bundle: bundle.path, annotations });
        }
      }
    }
  });
});

/** 16 texts of 120 KiB: the kernel takes up to 128 KiB each. */
const MANY = Array.from({ length: 16 }, (_, index) => `V${index}=${"x".repeat(120 * KIB)}`);

Deno.test("arguments and environment of 2 MiB come through, and hooks inside have that environment", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config: Config) => {
      // Their room is a quarter of the stack.
      config.process.rlimits.push({ type: "RLIMIT_STACK", soft: 64 * MIB, hard: 64 * MIB });
      config.process.env = ["PATH=/bin", ...MANY];
      config.process.args = ["sh", "-c", 'echo "${#V0} ${#V15} $#"', "sh", ..."x".repeat(5000)];
      const script = `test "\${#V15}" = ${120 * KIB}`;
      const one = { path: "/bin/sh", args: ["sh", "-c", script] };
      config.hooks = { createContainer: Array(12).fill(one), startContainer: Array(12).fill(one) };
    });
    const output = await runtime.ok(["run", "--bundle", bundle.path, runtime.id()]);
    assertEquals(output, `${120 * KIB} ${120 * KIB} 5000\n`);
  });
});
