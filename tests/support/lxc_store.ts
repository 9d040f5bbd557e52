/** Containers on disk for tests: made by small templates, in a directory that is gone afterwards. */

import { assertEquals } from "@std/assert";
import { exists } from "./look.ts";
import { IS_LXC, LxcPath } from "./lxc.ts";
import type { Output } from "./runtime.ts";

const HAS_TEMPLATES = exists("/usr/share/lxc/templates/lxc-busybox");
/** For tests of what LXC's own templates make, which are not everywhere: virtual machines have none. */
export const WITH_TEMPLATES = { ignore: !HAS_TEMPLATES };
/** The same of what runts alone does. */
export const RUNTS_WITH_TEMPLATES = { ignore: !HAS_TEMPLATES || IS_LXC };

/** What a container begins with that is to be started anywhere. */
const CONFIG = ["lxc.net.0.type = empty", "lxc.apparmor.profile = unconfined"];

/** A root filesystem with a few files of every kind. */
const TEMPLATE = `#!/bin/sh
set -e
for word; do case $word in --rootfs=*) rootfs=\${word#--rootfs=};; --path=*) path=\${word#--path=};; esac; done
mkdir -p $rootfs/etc $rootfs/bin
echo old > $rootfs/etc/hostname
echo text > $rootfs/etc/file
ln $rootfs/etc/file $rootfs/bin/link
echo "lxc.tty.max = 2" >> $path/config
`;

/** Containers; disposing of it removes what is left of them. */
export class Store implements AsyncDisposable {
  readonly #lxcpath = new LxcPath();
  /** For what belongs to no container. */
  readonly beside = Deno.makeTempDirSync({ prefix: "runts-lxc-beside-" });

  constructor() {
    this.template("small", TEMPLATE);
    this.file("config", this.settingsText);
  }

  /** The lines that containers begin with. */
  readonly settingsText = CONFIG.map((line) => `${line}\n`).join("");

  /** Directory of the containers. */
  get path(): string {
    return this.#lxcpath.path;
  }

  /** Writes a file beside the containers; gives its path. */
  file(name: string, text: string): string {
    Deno.writeTextFileSync(`${this.beside}/${name}`, text);
    return `${this.beside}/${name}`;
  }

  /** A template of the test's own; gives its path. */
  template(name: string, script: string): string {
    const path = this.file(name, script);
    Deno.chmodSync(path, 0o755);
    return path;
  }

  /** Runs a command for these containers. */
  run(verb: string, ...args: string[]): Promise<Output> {
    return this.#lxcpath.run(verb, ...args);
  }

  /** The same; it must succeed and say nothing wrong. Its output. */
  async ok(verb: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(verb, ...args);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    return stdout;
  }

  /** Makes a container by the small template, with further lines of its configuration. */
  async make(name: string, ...lines: string[]): Promise<void> {
    const text = [...CONFIG, ...lines].map((line) => `${line}\n`).join("");
    const file = this.file(`config-${name}`, text);
    await this.ok("create", "-n", name, "-t", `${this.beside}/small`, "-f", file);
  }

  /** Names below the directory of the containers, or below one of them. */
  names(below = ""): string[] {
    return Array.from(Deno.readDirSync(`${this.path}/${below}`), ({ name }) => name).toSorted();
  }

  /** A file of a container. */
  read(file: string): string {
    return Deno.readTextFileSync(`${this.path}/${file}`);
  }

  /** The lines of a configuration that set something. */
  settings(name: string): string[] {
    return this.read(`${name}/config`).split("\n").filter((line) => /^lxc\./.test(line));
  }

  /** The last value of a key. */
  setting(name: string, key: string): string | undefined {
    const line = this.settings(name).findLast((one) => one.startsWith(`${key} =`));
    return line?.slice(key.length + 2).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.names()) await this.run("stop", "-n", name, "-k");
    this.#lxcpath[Symbol.dispose]();
    Deno.removeSync(this.beside, { recursive: true });
  }
}
