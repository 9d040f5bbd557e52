/** Containers on disk of an ordinary user: their files belong to ids that only a user namespace has. */

import { assertEquals, assertMatch } from "@std/assert";
import { exists } from "../../support/look.ts";
import { IS_LXC, LxcPath } from "../../support/lxc.ts";
import { rootless } from "../../support/rootless.ts";
import { command } from "../../support/runtime.ts";
import type { OrdinaryUser } from "../../support/user.ts";

/** Of the ids on the host. */
const BASE = 100_000;
const OURS = { ignore: IS_LXC };

const CONFIG = [
  ...["u", "g"].map((kind) => `lxc.idmap = ${kind} 0 ${BASE} 65536`),
  "lxc.net.0.type = empty",
  "lxc.apparmor.profile = unconfined",
  "",
].join("\n");

/** Files of root and of another user, one that is nobody's to read, and one with a hole. */
const TEMPLATE = `#!/bin/sh
set -e
for word; do case $word in --rootfs=*) rootfs=\${word#--rootfs=};; esac; done
mkdir -p $rootfs/etc $rootfs/home
echo old > $rootfs/etc/hostname
echo secret > $rootfs/etc/secret
chmod 0600 $rootfs/etc/secret
ln $rootfs/etc/secret $rootfs/etc/link
truncate -s 16M $rootfs/etc/holes
mkdir -m 0700 $rootfs/home/user
echo text > $rootfs/home/user/file
chown -R 1000:1001 $rootfs/home/user
`;

/** The containers of a user that is registered nowhere but for its commands. */
class UserStore implements AsyncDisposable {
  readonly #lxcpath: LxcPath;
  readonly #beside = Deno.makeTempDirSync({ prefix: "runts-lxc-beside-" });

  constructor(user: OrdinaryUser) {
    const range = `tester:${BASE}:65536\n`;
    user.register({
      passwd: `root:x:0:0::/:/bin/sh\ntester:x:${user.id}:${user.id}::/:/bin/sh\n`,
      subuid: range,
      subgid: range,
    });
    this.#lxcpath = new LxcPath(([, ...words]) => user.run(words));
    Deno.chownSync(this.path, user.id, user.id);
    for (const path of [this.path, this.#beside]) Deno.chmodSync(path, 0o755);
    Deno.writeTextFileSync(`${this.#beside}/config`, CONFIG);
    this.template("small", TEMPLATE);
  }

  get path(): string {
    return this.#lxcpath.path;
  }

  template(name: string, script: string): string {
    Deno.writeTextFileSync(`${this.#beside}/${name}`, script, { mode: 0o755 });
    return `${this.#beside}/${name}`;
  }

  run(verb: string, ...args: string[]) {
    return this.#lxcpath.run(verb, ...args);
  }

  async ok(verb: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(verb, ...args);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    return stdout;
  }

  async make(name: string, template = "small"): Promise<void> {
    const args = ["-t", `${this.#beside}/${template}`, "-f", `${this.#beside}/config`];
    await this.ok("create", "-n", name, ...args);
  }

  names(): string[] {
    return Array.from(Deno.readDirSync(this.path), ({ name }) => name).toSorted();
  }

  /** Owner and mode, of a file of a root filesystem. */
  facts(file: string): string {
    const { uid, gid, mode } = Deno.lstatSync(`${this.path}/${file}`);
    return `${uid! - BASE}:${gid! - BASE} ${(mode! & 0o7777).toString(8)}`;
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.#lxcpath[Symbol.dispose]();
    Deno.removeSync(this.#beside, { recursive: true });
  }
}

rootless("a container of mapped ids is made, copied and removed", async (user) => {
  await using store = new UserStore(user);
  await store.make("web");
  assertEquals(store.facts("web/rootfs/etc/secret"), "0:0 600");
  assertEquals(store.facts("web/rootfs/home/user/file"), "1000:1001 644");
  await store.ok("copy", "-n", "web", "-N", "other");
  for (const file of ["etc/secret", "home/user", "home/user/file"]) {
    assertEquals(store.facts(`other/rootfs/${file}`), store.facts(`web/rootfs/${file}`), file);
  }
  const etc = `${store.path}/other/rootfs/etc`;
  assertEquals(Deno.readTextFileSync(`${etc}/secret`), "secret\n");
  assertEquals(Deno.statSync(`${etc}/secret`).ino, Deno.statSync(`${etc}/link`).ino);
  assertEquals(Deno.statSync(`${etc}/holes`).blocks! < 64, true);
  assertEquals(Deno.readTextFileSync(`${etc}/hostname`), "other");
  assertEquals(store.facts("other/rootfs/etc/hostname"), "0:0 644");
  await store.ok("destroy", "-n", "other");
  await store.ok("destroy", "-n", "web");
  assertEquals(store.names(), []);
}, OURS);

rootless("a snapshot of mapped ids is kept and brought back, and an overlay made", async (user) => {
  await using store = new UserStore(user);
  await store.make("web");
  await store.ok("snapshot", "-n", "web");
  Deno.writeTextFileSync(`${store.path}/web/rootfs/etc/secret`, "changed\n");
  await store.ok("snapshot", "-n", "web", "-r", "snap0");
  assertEquals(Deno.readTextFileSync(`${store.path}/web/rootfs/etc/secret`), "secret\n");
  assertEquals(store.facts("web/rootfs/etc/secret"), "0:0 600");
  await store.ok("copy", "-n", "web", "-N", "over", "-s");
  assertEquals(store.facts("over/overlay/delta"), store.facts("web/rootfs"));
  assertEquals(Deno.readTextFileSync(`${store.path}/over/overlay/delta/etc/hostname`), "over");
  await store.ok("destroy", "-n", "over");
  await store.ok("destroy", "-n", "web", "-s");
  assertEquals(store.names(), []);
}, OURS);

rootless("what fails with mapped ids is told, and nothing is left", async (user) => {
  await using store = new UserStore(user);
  const failing = store.template("failing", TEMPLATE + "exit 3\n");
  const args = ["-n", "x", "-t", failing, "-f", failing.replace("failing", "config")];
  const created = await store.run("create", ...args);
  assertEquals([created.code, created.stderr, store.names()], [
    1,
    `runts: create "x": template "${failing}": exit status 3\n`,
    [],
  ]);
  await store.make("web");
  Deno.writeFileSync(`${store.path}/web/rootfs/etc/big`, new Uint8Array(1 << 20).fill(1));
  const disk = `${user.directory}/disk`;
  Deno.mkdirSync(disk);
  await command(["mount", "-t", "tmpfs", "-o", `size=256k,uid=${user.id},mode=755`, "tmpfs", disk]);
  try {
    const { code, stderr } = await store.run("copy", "-n", "web", "-N", "x", "-p", disk);
    assertEquals([code, stderr, Array.from(Deno.readDirSync(disk)).length], [
      1,
      `runts: copy "web": write "${disk}/x/rootfs/etc/big": ENOSPC (no space left on device)\n`,
      0,
    ]);
  } finally {
    await command(["umount", disk]);
  }
  assertMatch(await store.ok("ls"), /^web\n$/);
  await store.ok("destroy", "-n", "web");
  assertEquals(exists(`${store.path}/web`), false);
}, OURS);
