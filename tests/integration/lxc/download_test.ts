/** create -t download: LXC's template for images of a server, which a stand-in of wget serves from a directory. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { IS_LXC, lxcLine } from "../../support/lxc.ts";
import { Store, WITH_TEMPLATES } from "../../support/lxc_store.ts";
import { command, type Output } from "../../support/runtime.ts";

/** As the index of a server has it: mode, by who is to have it, and a line for each image. */
const IMAGE = "/images/small/1/amd64/default/20260101_00:00";
const INDEX = `small;1;amd64;default;20260101_00:00;${IMAGE}\n`;
const CHOICE = ["--dist", "small", "--release", "1", "--arch", "amd64"];
/** Of the ids on the host. */
const BASE = 100_000;

/** Copies what is asked for out of a directory: `-O FILE https://SERVER/PATH`. */
const WGET = (served: string) =>
  `#!/bin/sh
for word; do
  case $word in https://*) path=\${word#https://*/};; esac
done
while [ "$1" != -O ]; do shift; done
exec cp "${served}/$path" "$2"
`;

const INIT = `#!/bin/busybox sh
trap 'exit 0' PWR
while :; do /bin/busybox sleep 0.05; done
`;

/** What a server has: an image with a configuration, and a file that is a template itself. */
class Server {
  readonly #store: Store;
  readonly cache: string;

  constructor(store: Store) {
    this.#store = store;
    this.cache = `${store.beside}/cache`;
  }

  async fill(): Promise<void> {
    const { beside } = this.#store;
    const [root, meta, served] = [`${beside}/root`, `${beside}/meta`, `${beside}/served`];
    for (const name of ["bin", "dev", "etc", "proc", "root", "sbin", "sys", "tmp"]) {
      Deno.mkdirSync(`${root}/${name}`, { recursive: true });
    }
    Deno.copyFileSync("/bin/busybox", `${root}/bin/busybox`);
    Deno.symlinkSync("busybox", `${root}/bin/sh`);
    Deno.writeTextFileSync(`${root}/sbin/init`, INIT, { mode: 0o755 });
    Deno.writeTextFileSync(`${root}/etc/hostname`, "LXC_NAME\n");
    for (const path of [meta, `${beside}/bin`, this.cache, served + IMAGE, `${served}/meta/1.0`]) {
      Deno.mkdirSync(path, { recursive: true });
    }
    Deno.writeTextFileSync(
      `${meta}/config`,
      "lxc.include = LXC_TEMPLATE_CONFIG/common.conf\nlxc.arch = x86_64\n",
    );
    Deno.writeTextFileSync(`${meta}/config-user`, "lxc.arch = x86_64\n");
    Deno.writeTextFileSync(`${meta}/templates`, "etc/hostname\n");
    Deno.writeTextFileSync(`${meta}/create-message`, "Have fun.\n");
    Deno.writeTextFileSync(`${meta}/expiry`, "9999999999\n");
    for (const mode of ["system", "user"]) {
      Deno.writeTextFileSync(`${served}/meta/1.0/index-${mode}`, INDEX);
    }
    await command(["tar", "-C", root, "-cJf", `${served}${IMAGE}/rootfs.tar.xz`, "."]);
    await command(["tar", "-C", meta, "-cJf", `${served}${IMAGE}/meta.tar.xz`, "."]);
    Deno.writeTextFileSync(`${beside}/bin/wget`, WGET(served), { mode: 0o755 });
  }

  /** Nothing can be had any more. */
  close(): void {
    Deno.removeSync(`${this.#store.beside}/served`, { recursive: true });
  }

  create(name: string, config: string, ...args: string[]): Promise<Output> {
    const { beside, path } = this.#store;
    const environment = [
      `PATH=${beside}/bin:${Deno.env.get("PATH")}`,
      `LXC_CACHE_PATH=${this.cache}`,
    ];
    const words = ["-P", path, "-n", name, "-t", "download", "-f", config, "--", ...args];
    return command(["env", ...environment, ...lxcLine("create", words)]);
  }
}

Deno.test(
  "an image of a server is unpacked, configured, kept and started",
  WITH_TEMPLATES,
  async () => {
    await using store = new Store();
    const server = new Server(store);
    await server.fill();
    const config = `${store.beside}/config`;
    const first = await server.create("web", config, ...CHOICE);
    assertEquals([first.code, first.stderr], [0, ""]);
    assertStringIncludes(first.stdout, "Downloading the rootfs\n");
    assertStringIncludes(first.stdout, "Have fun.\n");
    assertEquals(store.read("web/rootfs/etc/hostname"), "web\n");
    const settings = store.settings("web");
    assertEquals(settings.includes("lxc.include = /usr/share/lxc/config/common.conf"), true);
    assertEquals(store.setting("web", "lxc.rootfs.path"), `dir:${store.path}/web/rootfs`);
    assertEquals(store.setting("web", "lxc.uts.name"), "web");
    server.close();
    const second = await server.create("other", config, ...CHOICE);
    assertEquals(second.code, 0);
    assertStringIncludes(second.stdout, "Using image from local cache\n");
    await store.ok("start", "-n", "other");
    const seen = await store.ok("attach", "-n", "other", "--", "/bin/busybox", "hostname");
    assertEquals(seen, "other\n");
    await store.ok("stop", "-n", "other", "-k");
  },
);

Deno.test("an image for ids of its own is unpacked with them", WITH_TEMPLATES, async () => {
  await using store = new Store();
  const server = new Server(store);
  await server.fill();
  for (const path of [store.path, store.beside]) Deno.chmodSync(path, 0o755);
  Deno.chownSync(server.cache, BASE, BASE);
  const maps = ["u", "g"].map((kind) => `lxc.idmap = ${kind} 0 ${BASE} 65536\n`).join("");
  const config = store.file("mapped", maps + store.settingsText);
  const { code, stdout } = await server.create("web", config, ...CHOICE);
  assertEquals(code, 0);
  assertMatch(stdout, /The image cache is now ready\n/);
  const { uid, gid } = Deno.statSync(`${store.path}/web/rootfs/etc/hostname`);
  assertEquals([uid, gid, store.read("web/rootfs/etc/hostname")], [BASE, BASE, "web\n"]);
  if (IS_LXC) return; // its start needs lines for root in /etc/subuid
  await store.ok("start", "-n", "web");
  assertEquals(await store.ok("attach", "-n", "web", "--", "/bin/busybox", "id", "-u"), "0\n");
  await store.ok("stop", "-n", "web", "-k");
});

Deno.test("an image that the server does not have leaves nothing", WITH_TEMPLATES, async () => {
  await using store = new Store();
  const server = new Server(store);
  await server.fill();
  const args = ["--dist", "large", ...CHOICE.slice(2)];
  const { code, stdout } = await server.create("web", `${store.beside}/config`, ...args);
  assertEquals([code, store.names()], [1, []]);
  assertStringIncludes(stdout, "ERROR: Couldn't find a matching image\n");
});
