/** Where the output of hooks goes; annotations run.oci.hooks.stdout and .stderr name files. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { hook, KINDS } from "../../support/hooks.ts";
import { command, commandLine, type Output, PEER, RUNTS_ONLY } from "../../support/runtime.ts";

const STDOUT = "run.oci.hooks.stdout";
const STDERR = "run.oci.hooks.stderr";

/** A bundle with a hook of every kind; its files are `out` and `err` of the bundle. */
function talking(script: (kind: string) => string): Bundle {
  const bundle = new Bundle();
  const { config, path } = bundle;
  config.process.args = ["sleep", "1000"];
  config.annotations = { [STDOUT]: `${path}/out`, [STDERR]: `${path}/err` };
  config.hooks = Object.fromEntries(KINDS.map((kind) => [kind, [hook(script(kind))]]));
  bundle.save();
  return bundle;
}

const read = (bundle: Bundle, name: string) => Deno.readTextFileSync(`${bundle.path}/${name}`);

Deno.test({
  name: "hooks of every kind append their output to files",
  ignore: PEER === "runc", // it does not know the annotations
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = talking((kind) => `echo ${kind}; echo ${kind} bad >&2`);
      Deno.writeTextFileSync(`${bundle.path}/out`, "before\n");
      const id = runtime.id();
      const said = [
        await runtime.ok(["create", "--bundle", bundle.path, id]),
        await runtime.ok(["start", id]),
        await runtime.ok(["delete", "--force", id]),
      ];
      // crun 1.8.1 runs poststart beside startContainer.
      const lines = (name: string) => {
        const list = read(bundle, name).trimEnd().split("\n");
        return PEER === "crun" ? list.sort() : list;
      };
      const expected = (list: string[]) => PEER === "crun" ? list.sort() : list;
      assertEquals(lines("out"), expected(["before", ...KINDS]));
      assertEquals(lines("err"), expected(KINDS.map((kind) => `${kind} bad`)));
      assertEquals(said, ["", "", ""]);
    }),
});

Deno.test({
  name: "hooks after the start append their output to files under a filter, too",
  ignore: PEER === "runc",
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = talking((kind) => `echo ${kind}`);
      const { config } = bundle;
      // Without no_new_privs the filter is loaded before the wait for the start.
      config.process.noNewPrivileges = false;
      const syscalls = [{ names: ["keyctl"], action: "SCMP_ACT_ERRNO" }];
      config.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls };
      delete config.hooks.poststart;
      bundle.save();
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      await runtime.ok(["start", id]);
      await runtime.ok(["delete", "--force", id]);
      const expected = KINDS.filter((kind) => kind !== "poststart").join("\n");
      assertEquals(read(bundle, "out"), `${expected}\n`);
    }),
});

Deno.test({
  name: "a new file for the output of hooks is its owner's alone",
  ...RUNTS_ONLY, // crun makes it executable
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = talking(() => ":");
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      await runtime.ok(["delete", id]);
      assertEquals(Deno.statSync(`${bundle.path}/out`).mode! & 0o7777, 0o600);
    }),
});

Deno.test({
  name: "the program and the wait for it hold no file of hooks",
  ignore: PEER === "runc",
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = talking(() => ":");
      const open = (pid: number) =>
        [...Deno.readDirSync(`/proc/${pid}/fd`)]
          .map(({ name }) => Deno.readLinkSync(`/proc/${pid}/fd/${name}`))
          .filter((target) => target.startsWith(bundle.path));
      // Without a hook to come, init gives the files back before it waits.
      delete bundle.config.hooks.startContainer;
      bundle.save();
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      const { pid } = await runtime.state(id);
      if (PEER === "runts") assertEquals(open(pid), []);
      await runtime.ok(["start", id]);
      assertEquals(open(pid), []);
      await runtime.ok(["delete", "--force", id]);
    }),
});

Deno.test({
  name: "files for the output of hooks that cannot be used are errors",
  ...RUNTS_ONLY, // other words
  fn: () =>
    withRuntime(async (runtime) => {
      for (
        const [path, kinds, message] of [
          ["out.txt", KINDS, '"out.txt" is not an absolute path'],
          ["/no/such/out", ["createContainer"], 'open "/no/such/out": ENOENT'],
          ["/no/such/out", ["prestart"], 'open "/no/such/out": ENOENT'],
          ["/etc", ["startContainer"], 'open "/etc": EISDIR'],
        ] as const
      ) {
        using bundle = talking(() => ":");
        bundle.config.annotations = { [STDOUT]: path };
        bundle.config.hooks = Object.fromEntries(kinds.map((kind) => [kind, [hook(":")]]));
        bundle.save();
        const id = runtime.id();
        const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
        assertEquals(code, 1);
        const place = path.startsWith("/") ? "" : `${bundle.path}/config.json: `;
        const start = `runts: create "${id}": ${place}annotations["${STDOUT}"]: ${message}`;
        assertEquals(stderr.slice(0, start.length), start);
        assertEquals((await runtime.run(["state", id])).code, 1);
      }
    }),
});

Deno.test({
  name: "a fifo for the output of hooks needs a reader, and create does not wait for one",
  ...RUNTS_ONLY, // crun waits
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = talking((kind) => `echo ${kind}`);
      const path = `${bundle.path}/out`;
      await new Deno.Command("mkfifo", { args: [path] }).output();
      const id = runtime.id();
      const refused = await runtime.run(["create", "--bundle", bundle.path, id]);
      assertEquals(
        [refused.code, refused.stderr],
        [
          1,
          `runts: create "${id}": annotations["${STDOUT}"]: open "${path}": ENXIO (no such device ` +
          "or address): a fifo needs a reader first\n",
        ],
      );
      assertEquals((await runtime.run(["state", id])).code, 1);
      using reader = await Deno.open(path, { read: true, write: true });
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      await runtime.ok(["start", id]);
      await runtime.ok(["delete", "--force", id]);
      const bytes = new Uint8Array(1000);
      const length = await reader.read(bytes);
      const said = new TextDecoder().decode(bytes.subarray(0, length ?? 0));
      assertEquals(said, KINDS.map((kind) => `${kind}\n`).join(""));
    }),
});

Deno.test({
  name: "a poststop hook runs although its output has no file",
  ...RUNTS_ONLY, // other words
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = talking(() => ":");
      const [out, ran] = [`${bundle.path}/logs/out`, `${bundle.path}/ran`];
      bundle.config.annotations = { [STDOUT]: out };
      bundle.config.hooks = { poststop: [hook(`echo > ${ran}`)] };
      bundle.save();
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      const { code, stderr } = await runtime.run(["delete", id]);
      assertEquals({ code, stderr }, {
        code: 0,
        stderr: `runts: warning: annotations["${STDOUT}"]: open "${out}": ` +
          "ENOENT (no such file or directory)\n",
      });
      assertEquals(Deno.readTextFileSync(ran), "\n");
    }),
});

/** Each hook writes to both of its streams; the program to its own. */
function printing(edit: (config: Config) => void = () => {}): Bundle {
  return new Bundle((config) => {
    config.process.args = ["sh", "-c", "echo program; echo program bad >&2"];
    config.hooks = Object.fromEntries(
      KINDS.map((kind) => [kind, [hook(`echo ${kind}; echo ${kind} bad >&2`)]]),
    );
    edit(config);
  });
}

/** What hooks of these kinds print. */
const printed = (kinds: readonly string[]) => kinds.flatMap((kind) => [kind, `${kind} bad`]);

Deno.test("what hooks print is not on the standard output", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = printing();
    const { code, stdout, stderr } = await runtime.run([
      "run",
      "--bundle",
      bundle.path,
      runtime.id(),
    ]);
    // The program may be quicker than the poststart hook.
    const lines = stderr.trimEnd().split("\n");
    assertEquals({ code, stdout, lines: lines.toSorted() }, {
      code: 0,
      stdout: "program\n",
      lines: [...printed(KINDS), "program bad"].toSorted(),
    });
    const hooks = lines.filter((line) => line !== "program bad");
    assertEquals(hooks, printed(KINDS));
  });
});

Deno.test(
  "what hooks print is not on the standard output of a detached container",
  RUNTS_ONLY,
  async () => {
    await withRuntime(async (runtime) => {
      using bundle = printing();
      const words = ["--bundle", bundle.path];
      const [created, detached] = [runtime.id(), runtime.id()];
      const create = await runtime.run(["create", ...words, created]);
      const start = await runtime.run(["start", created]);
      const run = await runtime.run(["run", "--detach", ...words, detached]);
      const deleted = await runtime.run(["delete", "--force", created]);
      const text = (output: Output) => output.stderr.trimEnd().split("\n");
      // Those inside write where the program does: to the streams of create.
      assertEquals(
        [create, run].map(({ code, stdout }) => [code, stdout.replace("program\n", "")]),
        [
          [0, ""],
          [0, ""],
        ],
      );
      const early = ["prestart", "createRuntime", "createContainer"];
      assertEquals(text(create).slice(0, 6), printed(early));
      assertEquals([start.code, start.stdout, text(start)], [0, "", printed(["poststart"])]);
      assertEquals([deleted.code, deleted.stdout, text(deleted)], [0, "", printed(["poststop"])]);
      await runtime.ok(["delete", "--force", detached]);
    });
  },
);

Deno.test("hooks before the start do not print on the terminal", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = printing((config) => config.process.terminal = true);
    const words = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
    const line = `${commandLine(runtime.executable, words).join(" ")} 2>${bundle.path}/err`;
    const { code, stdout } = await command(["script", "-qec", line, "/dev/null"]);
    assertEquals({ code, lines: stdout.replace("^@", "").trimEnd().split("\r\n") }, {
      code: 0,
      lines: [...printed(["startContainer"]), "program", "program bad"],
    });
    const others = KINDS.filter((kind) => kind !== "startContainer");
    assertEquals(read(bundle, "err").trimEnd().split("\n"), printed(others));
  });
});

Deno.test(
  "with a file for the errors of hooks alone, it gets all that they print",
  RUNTS_ONLY,
  async () => {
    await withRuntime(async (runtime) => {
      using bundle = printing();
      bundle.config.annotations = { [STDERR]: `${bundle.path}/err` };
      bundle.save();
      const output = await runtime.run(["run", "--bundle", bundle.path, runtime.id()]);
      assertEquals(output, { code: 0, stdout: "program\n", stderr: "program bad\n" });
      assertEquals(read(bundle, "err").trimEnd().split("\n"), printed(KINDS));
    });
  },
);
