/** The directory of containers by any of its spellings, the files that name it, and commands side by side. */

import { assertEquals } from "@std/assert";
import { lxc, lxcLine, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { RUNTS_WITH_TEMPLATES, Store } from "../../support/lxc_store.ts";
import { command, type Output } from "../../support/runtime.ts";

// LXC takes each spelling for another directory.
Deno.test("all spellings of a directory are one", RUNTS_WITH_TEMPLATES, async () => {
  await using store = new Store();
  await store.ok("create", "-n", "web", "-t", "busybox", "-f", `${store.beside}/config`);
  await store.ok("start", "-n", "web");
  const link = `${store.beside}/link`;
  Deno.symlinkSync(store.path, link);
  const name = store.path.slice(store.path.lastIndexOf("/") + 1);
  const spellings = [
    `${store.path}/`,
    `${store.path}/web/..`,
    `/tmp/../tmp/${name}`,
    link,
    `${link}/.`,
    name,
    `./${name}/`,
  ];
  for (const path of spellings) {
    const state = await lxc("info", ["-P", path, "-n", "web", "-sH"], { cwd: "/tmp" });
    assertEquals([state.code, state.stdout], [0, "RUNNING\n"], path);
    const list = await lxc("ls", ["-P", path, "--running"], { cwd: "/tmp" });
    assertEquals(list.stdout, "web\n", path);
    const destroyed = await lxc("destroy", ["-P", path, "-n", "web"], { cwd: "/tmp" });
    assertEquals(destroyed.code, 1, path);
  }
  const { code } = await lxc("stop", ["-P", link, "-n", "web", "-k"]);
  assertEquals([code, (await store.ok("info", "-n", "web", "-sH")).trim()], [0, "STOPPED"]);
});

// LXC destroys nothing for whoever has no subordinate ids.
Deno.test("lxc.conf names directory and first configuration", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  const home = `${store.beside}/home`;
  Deno.mkdirSync(`${home}/.config/lxc`, { recursive: true });
  const usual = store.file("usual", "lxc.tty.max = 3\n");
  // Whoever is not root has its own files; those of root are the system's.
  const conf = `lxc.lxcpath = ${home}/containers\nlxc.default_config = ${usual}\n`;
  Deno.writeTextFileSync(`${home}/.config/lxc/lxc.conf`, conf);
  const { code, stderr } = await asUser(home, "create", "-n", "web", "-t", "none");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(Deno.readTextFileSync(`${home}/containers/web/config`), "lxc.tty.max = 3\n");
  assertEquals((await asUser(home, "ls")).stdout.trim(), "web");
  assertEquals((await asUser(home, "destroy", "-n", "web")).code, 0);
  assertEquals([...Deno.readDirSync(`${home}/containers`)], []);
});

const USER = 12345;

/** Runs a command as somebody who is not root. */
async function asUser(home: string, verb: string, ...args: string[]): Promise<Output> {
  for await (const path of below(home)) await Deno.chown(path, USER, USER);
  Deno.chmodSync(home.slice(0, home.lastIndexOf("/")), 0o755);
  const ids = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
  return await command(["setpriv", ...ids, ...lxcLine(verb, args)], {
    env: { HOME: home, XDG_RUNTIME_DIR: home },
    cwd: "/",
  });
}

async function* below(path: string): AsyncGenerator<string> {
  yield path;
  if (!(await Deno.stat(path)).isDirectory) return;
  for await (const { name } of Deno.readDir(path)) yield* below(`${path}/${name}`);
}

Deno.test("of two that make the same container one does", async () => {
  await using store = new Store();
  const small = `${store.beside}/small`;
  const make = () => store.run("create", "-n", "web", "-t", small, "-f", "/dev/null");
  const codes = (await Promise.all(Array.from({ length: 6 }, make))).map(({ code }) => code);
  assertEquals(codes.toSorted(), [0, 1, 1, 1, 1, 1]);
  assertEquals(store.read("web/rootfs/etc/file"), "text\n");
  assertEquals(store.names("web"), ["config", "rootfs"]);
});

// LXC copies what is being removed.
Deno.test("copies and the removal of a container wait for each other", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web");
  const copies = Array.from(
    { length: 4 },
    (_, at) => store.run("copy", "-n", "web", "-N", `c${at}`),
  );
  const removal = store.run("destroy", "-n", "web");
  const made = await Promise.all(copies);
  assertEquals((await removal).code, 0);
  const missing = `there is no file ${store.path}/web/config`;
  for (const [at, { code, stderr }] of made.entries()) {
    if (code === 0) assertEquals(store.read(`c${at}/rootfs/etc/file`), "text\n");
    else {
      assertEquals(
        stderr,
        `runts: copy "web": container "web" does not exist: ${missing}\n`,
      );
      assertEquals(store.names().includes(`c${at}`), false);
    }
  }
});
