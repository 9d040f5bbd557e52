/** Bytes that are not UTF-8, in what the caller and the kernel call things. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, type Output, PEER, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";
import { execTest, type Sleeper } from "../../support/seen.ts";

/** Runs a shell script in which `rt` is the runtime, `$id` the container and `$E` a byte. */
function bash(runtime: TestRuntime, id: string, bundle: Bundle, text: string): Promise<Output> {
  const begin = `E=$'\\xe4'; root=$1; id=$2; cd "$3"; rt() { ${RUNTIME} --root "$root" "$@"; }; `;
  return command(["bash", "-c", begin + text, "bash", runtime.root, id, bundle.path]);
}

function script({ runtime, id, bundle }: Sleeper, text: string): Promise<Output> {
  return bash(runtime, id, bundle, text);
}

const writable = (config: { root: { readonly: boolean } }) => config.root.readonly = false;

execTest("keeps the bytes of arguments and variables", writable, async (sleeper) => {
  const text =
    `rt exec -e "ODD=v$E" $id sh -c 'echo "$0 $1 $ODD" >/out' "a$E" "ü€"; cat rootfs/out | od -An -tx1`;
  const hex = " 61 e4 20 c3 bc e2 82 ac 20 76 e4 0a\n";
  assertEquals(await script(sleeper, text), { code: 0, stdout: hex, stderr: "" });
}, RUNTS_ONLY); // the peers put them into JSON

execTest("enters a directory of any name, and says which is missing", writable, async (sleeper) => {
  const text = `mkdir "rootfs/d$E"; rt exec --cwd "/d$E" $id sh -c 'pwd | od -An -tx1'; ` +
    `rt exec --cwd "/no$E" $id true`;
  assertEquals(await script(sleeper, text), {
    code: 255,
    stdout: " 2f 64 e4 0a\n",
    stderr: `runts: exec "${sleeper.id}": process.cwd: enter "/no\\xe4": ` +
      "ENOENT (no such file or directory)\n",
  });
}, RUNTS_ONLY);

execTest("writes a pid file and reads a document of any name", () => {}, async (sleeper) => {
  const process = { cwd: "/", user: { uid: 0, gid: 0 }, args: ["echo", "from a document"] };
  Deno.writeTextFileSync(`${sleeper.bundle.path}/p.json`, JSON.stringify(process));
  const text = `mv p.json "p$E.json"; rt exec --process "p$E.json" --pid-file "$PWD/x$E" $id; ` +
    `grep -c '^[0-9]*$' "x$E"; ls -A | grep -c x`;
  const stdout = "from a document\n1\n1\n";
  assertEquals(await script(sleeper, text), { code: 0, stdout, stderr: "" });
}, { ignore: PEER === "crun" });

execTest("works in a directory of any name", () => {}, async (sleeper) => {
  const process = { cwd: "/", user: { uid: 0, gid: 0 }, args: ["echo", "from a document"] };
  Deno.writeTextFileSync(`${sleeper.bundle.path}/p.json`, JSON.stringify(process));
  const text = `mkdir "d$E"; mv p.json "d$E"; cd "d$E"; ` +
    `rt --log log exec --process p.json --pid-file pid $id; ls; rt validate --bundle ..`;
  const stdout = "from a document\nlog\np.json\npid\n";
  assertEquals(await script(sleeper, text), { code: 0, stdout, stderr: "" });
}, RUNTS_ONLY);

execTest("refuses other names in words, and says what helps", () => {}, async (sleeper) => {
  const reason = "its path is not UTF-8";
  const text = `mkdir "b$E"; ln -s "b$E" b; cp config.json b; rt validate --bundle "b$E"; ` +
    `rt validate --bundle b; rt run --config "$PWD/b$E/config.json" other; rm b/*; ` +
    `cd "b$E"; rt --root here list; rt validate; rt --root "/r$E" list; ls`;
  assertEquals(await script(sleeper, text), {
    code: 0,
    stdout: "",
    stderr: [
      `runts: validate: use "b\\xe4": ${reason}: name it by a symlink`,
      `runts: run "other": use "${sleeper.bundle.path}/b\\xe4/config.json": ${reason}: name it by a symlink`,
      `runts: list: use the working directory: ${reason}: name an absolute path`,
      `runts: validate: use the working directory: ${reason}: name an absolute path`,
      `runts: list: use "/r\\xe4": ${reason}: name it by a symlink`,
      "",
    ].join("\n"),
  });
}, RUNTS_ONLY);

Deno.test("a bundle of any name runs, by its path and from within", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      config.process.args = ["echo", "hello"];
      const args = ["sh", "-c", "pwd >where; cat >state"];
      config.hooks = { createRuntime: [{ path: "/bin/sh", args }] };
    });
    const id = runtime.id();
    const text = `mkdir "b$E"; cp -a config.json rootfs "b$E"; rt run --bundle "$PWD/b$E" $id; ` +
      `cat "b$E/where"; grep -o '"bundle":"[^"]*"' "b$E/state"; cd "b$E"; rt run $id; ` +
      `rt create $id </dev/null >/dev/null 2>&1; rt state $id | grep bundle; rt delete -f $id; ls`;
    const { code, stdout, stderr } = await bash(runtime, id, bundle, text);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout.replaceAll(bundle.path, "DIR").split("\n"), [
      "hello",
      "DIR/b\ufffd",
      '"bundle":"DIR/b\\udce4"',
      "hello",
      '  "bundle": "DIR/b\\udce4",',
      "config.json",
      "rootfs",
      "state",
      "where",
      "",
    ]);
  });
});

execTest("shows the bytes of a log's and a socket's name", () => {}, async (sleeper) => {
  const path = sleeper.bundle.path;
  const text = `rt --log "$PWD/l$E" exec -t --console-socket "$PWD/s$E" $id sh; cut -c1-5 "l$E"`;
  const { code, stdout, stderr } = await script(sleeper, text);
  assertEquals({ code, stdout, stderr }, {
    code: 0,
    stdout: "time=\n",
    stderr: `runts: exec "${sleeper.id}": connect to console socket "${path}/s\\xe4": ` +
      `ENOENT (no such file or directory)\n`,
  });
}, RUNTS_ONLY);

execTest("processes of any name are listed as they are", writable, async (sleeper) => {
  const text = `rt exec -d $id sh -c 'exec sleep "$0" </dev/null >/dev/null 2>&1' 1000 ; ` +
    `cat >rootfs/s <<<'while :; do sleep 0.1; done'; rt exec -d $id sh /s "w$E"; ` +
    `LC_ALL=C.UTF-8 rt ps $id -eo args,pid | grep -a -c "sh /s"`;
  const { code, stdout } = await script(sleeper, text);
  assertEquals({ code, stdout }, { code: 0, stdout: "1\n" });
}, RUNTS_ONLY);

Deno.test({
  name: "a hook inherits variables with their bytes",
  ...RUNTS_ONLY,
  fn: async () => {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle();
      const args = ["sh", "-c", `printenv ODD | od -An -tx1 >${bundle.path}/out`];
      bundle.config.hooks = { createRuntime: [{ path: "/bin/sh", args }] };
      bundle.save();
      const run = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
      const line = ["bash", "-c", `ODD=$'x\\xff' exec "$@"`, "bash", RUNTIME, ...run];
      assertEquals(await command(line), { code: 0, stdout: "", stderr: "" });
      assertEquals(Deno.readTextFileSync(`${bundle.path}/out`), " 78 ff 0a\n");
    });
  },
});

Deno.test("what is wrong with a bundle of any name is said of its name", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle();
    const id = runtime.id();
    const text = `mkdir "b$E"; rt create --bundle "b$E" $id; echo "{}x" >"b$E/config.json"; ` +
      `cd "b$E"; rt run $id; sed 's/"rootfs"/"none"/' ../config.json >config.json; rt run $id`;
    const { code, stdout, stderr } = await bash(runtime, id, bundle, text);
    assertEquals([code, stdout], [1, ""]);
    const name = `${bundle.path}/b\\xe4`;
    assertEquals(stderr.split("\n"), [
      `runts: create "${id}": read "${name}/config.json": ENOENT (no such file or directory): ` +
      'write one with "runts spec"',
      `runts: run "${id}": ${name}/config.json:1:3: malformed JSON: there is text after the end of the document`,
      `runts: run "${id}": root.path: root filesystem "${name}/none": ` +
      "ENOENT (no such file or directory)",
      "",
    ]);
  });
});
