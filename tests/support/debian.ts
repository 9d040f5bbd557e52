/** System containers with a stock Debian. */

import { DEBIAN } from "./debian_tree.ts";
import type { Systems } from "./lxc_system.ts";
import { command } from "./runtime.ts";

/** For tests that need it. */
export const WITH_DEBIAN = { ignore: !isThere(`${DEBIAN}/usr/lib/systemd/systemd`) };

/** The usual lines, and what the configurations have that distributions bring. */
const LINES = [
  "lxc.tty.max = 2",
  "lxc.mount.auto = cgroup:mixed",
  "lxc.cap.drop = mac_admin mac_override sys_time sys_module sys_rawio",
  ...["cgroup", "cgroup2"].flatMap((family) => [
    `lxc.${family}.devices.deny = a`,
    ...["c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm"]
      .map((rule) => `lxc.${family}.devices.allow = ${rule}`),
    ...["c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm"]
      .map((rule) => `lxc.${family}.devices.allow = ${rule}`),
  ]),
];

/** A container with this Debian, whose changes are its own. Disposing of it stops it. */
export class Debian implements AsyncDisposable {
  readonly #systems: Systems;
  readonly name: string;

  private constructor(systems: Systems, name: string) {
    this.#systems = systems;
    this.name = name;
  }

  static async define(
    systems: Systems,
    name: string,
    lines: readonly string[] = [],
  ): Promise<Debian> {
    systems.define(name, [...LINES, ...lines]);
    const place = `${systems.path}/${name}`;
    for (const part of ["upper", "work"]) Deno.mkdirSync(`${place}/${part}`);
    // Root may log in without a password.
    Deno.mkdirSync(`${place}/upper/etc`);
    const shadow = Deno.readTextFileSync(`${DEBIAN}/etc/shadow`);
    Deno.writeTextFileSync(`${place}/upper/etc/shadow`, shadow.replace(/^root:[^:]*/m, "root:"));
    const options = `lowerdir=${DEBIAN},upperdir=${place}/upper,workdir=${place}/work`;
    await succeeds("mount", "-t", "overlay", "-o", options, "debian", systems.rootfs(name));
    return new Debian(systems, name);
  }

  /** Has every file belong to the ids of a map that begins there, but for those that nobody writes to. */
  async shift(base: number): Promise<void> {
    const rootfs = this.#systems.rootfs(this.name);
    const find = ["find", rootfs, "-path", `${rootfs}/usr`, "-prune", "-o"];
    const { stdout } = await command([...find, "-printf", "%U %G\n"]);
    for (const pair of new Set(stdout.trim().split("\n"))) {
      const [uid, gid] = pair.split(" ").map(Number);
      const ids = `${uid! + base}:${gid! + base}`;
      const chosen = ["-uid", String(uid), "-gid", String(gid)];
      await succeeds(...find, ...chosen, "-exec", "chown", "-h", ids, "{}", "+");
    }
  }

  /** Starts it, and waits until it asks for a login and has done all that it does when it boots. */
  async boot(): Promise<void> {
    await this.#systems.ok("start", "-n", this.name);
    await this.booted(1);
  }

  /** Waits until it has booted for the nth time. */
  async booted(times: number): Promise<void> {
    await this.#systems.untilShown(this.name, "login: ", times);
    await this.systemctl("is-system-running", "--wait");
  }

  /** Runs systemctl inside, whatever comes of it; what it prints. */
  async systemctl(...args: string[]): Promise<string> {
    const line = ["-n", this.name, "--", "systemctl", ...args];
    return (await this.#systems.run("attach", ...line)).stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#systems.run("stop", "-n", this.name, "-k");
    await succeeds("umount", "--lazy", this.#systems.rootfs(this.name));
  }
}

async function succeeds(...line: string[]): Promise<void> {
  const { code, stderr } = await command(line);
  if (code !== 0) throw new Error(`${line.join(" ")}: ${stderr}`);
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
