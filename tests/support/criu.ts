/**
 * Checkpoints in tests: criu of the PATH, or the one that CRIU names, which must know this kernel. criu
 * 3.17 of Debian 12 knows that of the virtual machine.
 */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "./bundle.ts";
import { type TestRuntime, withRuntime } from "./host.ts";
import { command, commandLine, type Output, PEER, until } from "./runtime.ts";
import { exists, readIfThere } from "./look.ts";

/** Path of the executable, or its name. */
export const CRIU = Deno.env.get("CRIU") ?? "criu";

/** Whether it is there, and knows this kernel. */
export const CRIU_WORKS = works("check");
/** For tests that need criu. The crun of Debian 12 is built without it. */
const WITH_CRIU = { ignore: PEER === "crun" || !CRIU_WORKS };
export const WITH_CRIU_RUNTS_ONLY = { ignore: WITH_CRIU.ignore || PEER !== "runts" };
/** For pre-dumps, where the kernel knows what has changed (CONFIG_MEM_SOFT_DIRTY). */
export const WITH_MEMORY_TRACKING = {
  ignore: WITH_CRIU.ignore || !works("check", "--feature", "mem_dirty_track"),
};

function works(...args: string[]): boolean {
  try {
    const { success } = new Deno.Command(CRIU, { args, stdout: "null", stderr: "null" })
      .outputSync();
    return success;
  } catch {
    return false; // there is none
  }
}

/**
 * A program that waits for a file and then tells of the word that it has kept meanwhile. Before, it tells
 * that it waits. Files: /tmp/waits, /tmp/go, /tmp/said.
 */
export const KEEPER = [
  ...["sh", "-c"],
  "word=kept; touch /tmp/waits; while [ ! -e /tmp/go ]; do sleep 0.05; done; " +
  "echo $word > /tmp/said; exec sleep 1000",
];

/** A container to be checkpointed, and what is made of it. */
export class Restorable {
  readonly id: string;

  constructor(readonly runtime: TestRuntime, readonly bundle: Bundle) {
    this.id = runtime.id();
  }

  /** Where its image is. */
  get image(): string {
    return `${this.bundle.path}/image`;
  }

  /** Runs the keeper in the background, until it waits. Files outside are nothing that runc takes along. */
  async run(...options: readonly string[]): Promise<void> {
    const { root, executable } = this.runtime;
    const words = ["run", "--detach", ...options, "--bundle", this.bundle.path, this.id];
    const line = commandLine(executable, ["--root", root, ...words]);
    const { code } = await command(["sh", "-c", 'exec "$0" "$@" >/dev/null 2>&1', ...line]);
    assertEquals(code, 0);
    await until("the program waits", () => exists(`${this.bundle.rootfs}/tmp/waits`));
  }

  /** A verb with criu and the image. */
  verb(verb: "checkpoint" | "restore", ...options: readonly string[]): Promise<Output> {
    return this.runtime.run(this.line(verb, ...options));
  }

  /** The same, which must succeed and print nothing. */
  async ok(verb: "checkpoint" | "restore", ...options: readonly string[]): Promise<void> {
    const output = await this.verb(verb, ...options);
    assertEquals(output, { code: 0, stdout: "", stderr: "" });
  }

  /** Arguments of a verb with criu and the image. */
  line(verb: "checkpoint" | "restore", ...options: readonly string[]): string[] {
    const bundle = verb === "restore" ? ["--bundle", this.bundle.path] : [];
    return ["--criu", CRIU, verb, ...options, "--image-path", this.image, ...bundle, this.id];
  }

  /** Lets the keeper speak: it is the same program, whatever has been made of it. */
  async assertKept(): Promise<void> {
    this.bundle.put("tmp/go", "");
    await until("the program speaks", () => this.said() !== "");
    assertEquals(this.said(), "kept\n");
  }

  said(): string {
    return readIfThere(`${this.bundle.rootfs}/tmp/said`);
  }

  /** criu's log; empty when there is none. */
  log(name: "dump" | "restore"): string {
    return readIfThere(`${this.image}/${name}.log`);
  }

  async delete(): Promise<void> {
    await this.runtime.ok(["delete", "--force", this.id]);
  }
}

/** A test of a container that runs the keeper on a root filesystem that it may write to. */
export function checkpointTest(
  name: string,
  body: (container: Restorable) => Promise<void>,
  edit: (config: Config, bundle: Bundle) => void = () => {},
  options: { ignore?: boolean } = WITH_CRIU,
): void {
  Deno.test({
    name,
    ...options,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle();
        bundle.config.process.args = KEEPER;
        bundle.config.root.readonly = false;
        edit(bundle.config, bundle);
        bundle.save();
        await body(new Restorable(runtime, bundle));
      }),
  });
}
