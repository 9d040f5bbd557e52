/** An ordinary user for tests: it has no rights, and by default no entry in /etc/passwd either. */

import { OTHERS } from "../../lib/state/id.ts";
import { Bundle, type Config } from "./bundle.ts";
import { command, type CommandOptions, type Output, PEER, RUNTIME } from "./runtime.ts";

/** What files of /etc say while a command runs; its mount namespace alone sees that. */
interface Accounts {
  readonly passwd?: string;
  readonly subuid?: string;
  readonly subgid?: string;
}

/** crun 1.8 takes a hybrid host for cgroup v2 by the look of this mount; runc and runts do not. */
const HIDE_UNIFIED = PEER === "crun" ? "umount /sys/fs/cgroup/unified 2>/dev/null || :;" : "";

/**
 * A user with a directory of its own; disposing of it removes the directory. Programs in its `bin`
 * come before those of the system.
 */
export class OrdinaryUser implements Disposable {
  /** User and group. */
  readonly id = 20_000 + Deno.pid % 10_000;
  readonly directory: string;
  /** What XDG_RUNTIME_DIR names. */
  readonly runtimeDirectory: string;
  /** The runtime under test, where the user reaches it, whoever owns the project. */
  readonly runtime: string;
  /** Shell commands of root, in the mount namespace of every command. */
  setup = "";
  #accounts: Accounts = {};
  #counter = 0;

  constructor() {
    this.directory = Deno.makeTempDirSync({ prefix: "runts-user-" });
    this.runtimeDirectory = `${this.directory}/run`;
    Deno.mkdirSync(this.runtimeDirectory, { mode: 0o700 });
    for (const name of ["bin", "etc"]) Deno.mkdirSync(`${this.directory}/${name}`);
    this.runtime = `${this.directory}/runtime`;
    Deno.writeTextFileSync(this.runtime, "");
    for (const path of [this.directory, this.runtimeDirectory]) {
      Deno.chownSync(path, this.id, this.id);
    }
  }

  /** From now on, files of /etc are these. */
  register(accounts: Accounts): void {
    this.#accounts = accounts;
    for (const [name, text] of Object.entries(accounts)) {
      Deno.writeTextFileSync(`${this.directory}/etc/${name}`, text);
    }
  }

  /** A container id. */
  name(): string {
    return `t${Deno.pid}-u${this.#counter++}`;
  }

  /** A bundle that belongs to the user, with a configuration of `spec --rootless`. */
  async bundle(edit?: (config: Config) => void): Promise<Bundle> {
    const bundle = new Bundle();
    const file = `${bundle.path}/config.json`;
    Deno.removeSync(file);
    await command(["chown", "-R", `${this.id}:${this.id}`, bundle.path]);
    const { code, stderr } = await this.run(["spec", "--rootless"], { cwd: bundle.path });
    if (code !== 0) throw new Error(stderr);
    const config = JSON.parse(Deno.readTextFileSync(file));
    // The peers are older than the version that runts writes.
    config.ociVersion = "1.0.2";
    config.process.terminal = false;
    config.process.env = ["PATH=/bin"];
    edit?.(config);
    bundle.save(JSON.stringify(config));
    return bundle;
  }

  /** Runs the runtime under test. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<Output> {
    return this.command([this.runtime, ...args], options);
  }

  /** Runs any command; variables of `env` that are empty are left unset. */
  command(line: readonly string[], options: CommandOptions = {}): Promise<Output> {
    const variables = Object.entries({
      PATH: `${this.directory}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: this.directory,
      XDG_RUNTIME_DIR: this.runtimeDirectory,
      ...options.env,
    }).filter(([, value]) => value !== "").map(([name, value]) => `${name}=${value}`);
    const mounts = Object.keys(this.#accounts).map((name) =>
      `mount --bind ${this.directory}/etc/${name} /etc/${name};`
    );
    mounts.push(`mount --bind ${RUNTIME} ${this.runtime};`);
    return command([
      ...["unshare", "--mount", "--propagation", "private"],
      ...["sh", "-c", `${HIDE_UNIFIED} ${mounts.join(" ")} ${this.setup}\nexec "$@"`, "sh"],
      ...["setpriv", "--reuid", `${this.id}`, "--regid", `${this.id}`, "--clear-groups"],
      ...["env", "-i", ...variables, ...line],
    ], { ...options, env: {} });
  }

  /** Runs a bundle in the foreground. The name of the container is ID in what it says. */
  async container(
    edit: (config: Config) => void,
    options: CommandOptions = {},
  ): Promise<Output> {
    using bundle = await this.bundle(edit);
    const name = this.name();
    const output = await this.run(["run", "--bundle", bundle.path, name], options);
    return { ...output, stderr: output.stderr.replaceAll(name, "ID") };
  }

  /** Names of the containers whose state is there. */
  containers(): string[] {
    const names: string[] = [];
    for (const root of Deno.readDirSync(this.runtimeDirectory)) {
      // There are locks of system containers, as LXC has them.
      if (!root.isDirectory || root.name === "lxc") continue;
      const entries = Deno.readDirSync(`${this.runtimeDirectory}/${root.name}`);
      names.push(
        ...Array.from(entries, ({ name }) => name).filter((name) => !OTHERS.includes(name)),
      );
    }
    return names;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}
