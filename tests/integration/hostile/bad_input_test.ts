/** Bad input: one clear line that names the cause, and a host that is as it was. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";

/**
 * The message of `create` for an edited bundle; BUNDLE stands for its path. `before`: what a hook
 * printed by itself.
 */
function refused(
  name: string,
  edit: (config: Config, bundle: Bundle) => void,
  message: string,
  before = "",
) {
  Deno.test({
    name: `create refuses ${name}`,
    ...RUNTS_ONLY,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle();
        edit(bundle.config, bundle);
        bundle.save();
        await assertRefused(runtime, bundle, message, before);
      }),
  });
}

async function assertRefused(
  runtime: TestRuntime,
  bundle: Bundle,
  message: string,
  before = "",
) {
  const id = runtime.id();
  const { code, stdout, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
  assertEquals(
    stderr.replaceAll(bundle.path, "BUNDLE").replaceAll(/after \d+ ms/g, "after N ms"),
    `${before}runts: create "${id}": ${message}\n`,
  );
  assertEquals({ code, stdout }, { code: 1, stdout: "" });
}

refused(
  "a relative cwd",
  (config) => config.process.cwd = "tmp",
  'BUNDLE/config.json: process.cwd: "tmp" is not an absolute path',
);
refused(
  "a missing root filesystem",
  (config) => config.root.path = "nope",
  'root.path: root filesystem "BUNDLE/nope": ENOENT (no such file or directory)',
);
refused(
  "a root filesystem that is a file",
  (config) => config.root.path = "config.json",
  'root.path: root filesystem "BUNDLE/config.json" is not a directory',
);
refused(
  "a configuration without a process",
  (config) => delete config.process,
  "BUNDLE/config.json: process is missing: there is nothing to start",
);
refused(
  "a program that does not exist",
  (config) => config.process.args = ["/bin/nosuch"],
  'process.args[0]: exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory',
);
refused(
  "a program that is not in PATH",
  (config) => config.process.args = ["nosuch"],
  'process.args[0]: exec: "nosuch": executable file not found in $PATH: PATH is "/bin"',
);
refused(
  "a program that is a directory",
  (config) => config.process.args = ["/etc"],
  'process.args[0]: exec: "/etc": permission denied: it is a directory',
);
refused(
  "a program that is not executable",
  (config) => config.process.args = ["/etc/passwd"],
  'process.args[0]: exec: "/etc/passwd": permission denied: ' +
    '"/etc/passwd" is not executable for this user',
);
refused(
  "a bind mount whose source is missing",
  (config) =>
    config.mounts.push({ destination: "/x", source: "/nonexistent/y", options: ["bind"] }),
  'mounts[6]: bind "/nonexistent/y" on "/x": "/nonexistent" does not exist: ' +
    "ENOENT (no such file or directory)",
);
refused(
  "a bad mount option, in the kernel's words",
  (config) => config.mounts[3].options.push("size=zzz"),
  'mounts[3]: mount "tmpfs" on "/dev/shm": tmpfs: Bad value for \'size\': ' +
    "EINVAL (invalid argument)",
);
refused(
  "a namespace file of another kind",
  (config) => config.linux.namespaces[1].path = "/proc/self/ns/pid",
  'linux.namespaces[1].path: "/proc/self/ns/pid" is a pid namespace, not a network namespace: ' +
    "EINVAL (invalid argument)",
);
refused(
  "a createRuntime hook that fails, with what it said",
  (config) =>
    config.hooks = {
      createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "echo oops >&2; exit 3"] }],
    },
  'hooks.createRuntime[0]: hook "/bin/sh": exit status 3 after N ms: stderr "oops"',
  "oops\n",
);
refused(
  "a prestart hook that takes too long",
  (config) =>
    config.hooks = { prestart: [{ path: "/bin/sleep", args: ["sleep", "20"], timeout: 1 }] },
  'hooks.prestart[0]: hook "/bin/sleep": timed out after 1 s',
);
refused(
  "a hook that does not exist",
  (config) => config.hooks = { createRuntime: [{ path: "/nonexistent" }] },
  'hooks.createRuntime[0]: hook "/nonexistent": ENOENT (no such file or directory)',
);
refused(
  "a terminal that nobody takes",
  (config) => config.process.terminal = true,
  "process.terminal: cannot allocate a terminal without a console socket: " +
    "give --console-socket PATH, or set process.terminal to false",
);
refused(
  "malformed JSON, with its place",
  (_, bundle) => bundle.save = () => Deno.writeTextFileSync(`${bundle.path}/config.json`, '{"a":}'),
  'BUNDLE/config.json:1:6: malformed JSON: expected a value, found "}"',
);

Deno.test({
  name: "create refuses a bundle without a configuration",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle();
      Deno.removeSync(`${bundle.path}/config.json`);
      await assertRefused(
        runtime,
        bundle,
        'read "BUNDLE/config.json": ENOENT (no such file or directory): ' +
          'write one with "runts spec"',
      );
    }),
});

Deno.test({
  name: "create that nobody takes the pidfd from leaves no pid file",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle();
      const id = runtime.id();
      const path = `${bundle.path}/none`;
      const options = ["--pid-file", path, "--pidfd-socket", path, "--bundle", bundle.path];
      assertEquals(await runtime.run(["create", ...options, id]), {
        code: 1,
        stdout: "",
        stderr: `runts: create "${id}": connect to pidfd socket "${path}": ` +
          `ENOENT (no such file or directory)\n`,
      });
      assertEquals([...Deno.readDirSync(bundle.path)].map(({ name }) => name).sort(), [
        "config.json",
        "rootfs",
      ]);
    }),
});

Deno.test({
  name: "bad ids, unknown ids and unknown signals are refused",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      const cases: [string[], string][] = [
        [
          ["create", "a/b"],
          'create "a/b": invalid container id "a/b": ' +
          'only letters, digits and "_", "+", "-", ".", "," are allowed',
        ],
        [
          ["create", ".."],
          'create "..": invalid container id "..": it is a directory\'s own name',
        ],
        [
          ["delete", "--force", ".code"],
          'delete ".code": invalid container id ".code": ' +
          "it is the name of something else in the state root",
        ],
        [["start", "nosuch"], 'start "nosuch": container does not exist'],
        [["state", "nosuch"], 'state "nosuch": container does not exist'],
        [["kill", "nosuch"], 'kill "nosuch": container does not exist'],
        [["delete", "nosuch"], 'delete "nosuch": container does not exist'],
        [["kill", "nosuch", "FOO"], 'kill: unknown signal "FOO"'],
      ];
      using bundle = new Bundle();
      for (const [args, message] of cases) {
        const { code, stderr } = await runtime.run(args, { cwd: bundle.path });
        assertEquals({ code, stderr }, { code: 1, stderr: `runts: ${message}\n` });
      }
    }),
});

Deno.test({
  name: "start says why the program could not be executed",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      const cases: [string, string][] = [
        [
          "#!/bin/nosuch\r\n",
          'interpreter "/bin/nosuch\\r": no such file or directory: ' +
          "the first line of the script ends in CR LF; save it with Unix line ends",
        ],
        ["#!/bin/nosuch\n", 'interpreter "/bin/nosuch": no such file or directory'],
        ["garbage", "exec format error: it is no ELF program and does not begin with #!"],
      ];
      for (const [text, message] of cases) {
        using bundle = new Bundle((config) => config.process.args = ["/bin/program"]);
        bundle.put("bin/program", text, 0o755);
        const id = runtime.id();
        await runtime.ok(["create", "--bundle", bundle.path, id]);
        const { code, stderr } = await runtime.run(["start", id]);
        assertEquals(
          stderr,
          `runts: start "${id}": process.args: exec: "/bin/program": ${message}\n`,
        );
        assertEquals(code, 1);
        await runtime.untilStopped(id);
        await runtime.ok(["delete", id]);
      }
    }),
});

Deno.test({
  name: "start says how init died before it was started, at once",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle();
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      Deno.kill((await runtime.state(id)).pid, "SIGKILL");
      await runtime.untilStopped(id);
      const { code, stderr } = await runtime.run(["start", id]);
      assertEquals(stderr, `runts: start "${id}": cannot start a container that has stopped\n`);
      assertEquals(code, 1);
      await runtime.ok(["delete", id]);
    }),
});

Deno.test({
  name: "a poststart hook that fails ends the container",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.process.args = ["sleep", "1000"];
        config.hooks = { poststart: [{ path: "/bin/false" }] };
      });
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      const { code, stderr } = await runtime.run(["start", id]);
      assertEquals(
        stderr.replace(/after \d+ ms/, "after N ms"),
        `runts: start "${id}": hooks.poststart[0]: hook "/bin/false": exit status 1 after N ms\n`,
      );
      assertEquals(code, 1);
      assertEquals((await runtime.run(["state", id])).code, 1);
    }),
});
