/** Containers that a test looks at from inside, and configurations that create refuses. */

import { type MountLine, parseMountinfo } from "../../lib/base/mountinfo.ts";
import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "./bundle.ts";
import { type TestRuntime, withRuntime } from "./host.ts";
import { PEER } from "./runtime.ts";

/** Changes the configuration of a bundle. */
export type Edit = (config: Config, bundle: Bundle) => void;

/** Makes the container run a shell script. */
export function shell(config: Config, script: string): void {
  config.process.args = ["sh", "-c", script];
}

/** Runs a container that must succeed, and gives the lines that it printed. */
export async function linesOf(runtime: TestRuntime, edit: Edit): Promise<string[]> {
  const { code, stdout, stderr } = await runtime.container(edit);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return stdout.split("\n").slice(0, -1);
}

/** What a test of this table needs. */
interface InsideOptions {
  /** In one line of comment: why the peer differs. */
  readonly ignore?: boolean;
}

/** A container prints `expected`, line by line. */
export function inside(
  name: string,
  edit: Edit,
  expected: readonly string[],
  options: InsideOptions = {},
): void {
  Deno.test({
    name,
    ...options,
    fn: () =>
      withRuntime(async (runtime) => assertEquals(await linesOf(runtime, edit), [...expected])),
  });
}

/** create fails with this message, BUNDLE standing for the path of the bundle. */
export function refused(name: string, edit: Edit, message: string): void {
  Deno.test({
    name: `create refuses ${name}`,
    ignore: PEER !== "runts",
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle();
        edit(bundle.config, bundle);
        bundle.save();
        const id = runtime.id();
        const output = await runtime.run(["create", "--bundle", bundle.path, id]);
        assertEquals({ ...output, stderr: output.stderr.replaceAll(bundle.path, "BUNDLE") }, {
          code: 1,
          stdout: "",
          stderr: `runts: create "${id}": ${message}\n`,
        });
      }),
  });
}

/** A new user namespace that maps root to an ordinary user of the host. */
export function userNamespace(config: Config, hostID = 100_000, size = 65_536): void {
  config.linux.namespaces.push({ type: "user" });
  config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID, size }];
}

/** A mount, its options in lists; propagation without the numbers. */
interface SeenMount extends Pick<MountLine, "root" | "type" | "source"> {
  readonly attributes: readonly string[];
  readonly propagation: readonly string[];
  /** Options of the filesystem. */
  readonly filesystem: readonly string[];
}

/** The mounts of a mountinfo file, by where they are. */
export function readMounts(lines: readonly string[]): Map<string, SeenMount> {
  const mounts = new Map<string, SeenMount>();
  for (const mount of parseMountinfo(lines.join("\n"))) {
    mounts.set(mount.path, {
      ...mount,
      attributes: mount.options.split(","),
      propagation: mount.propagation.split(" ").filter(Boolean)
        .map((field) => field.replace(/:\d+$/, "")),
      filesystem: mount.superOptions.split(","),
    });
  }
  return mounts;
}

/** The mounts that a container sees. */
export async function mountsOf(runtime: TestRuntime, edit: Edit): Promise<Map<string, SeenMount>> {
  return readMounts(
    await linesOf(runtime, (config, bundle) => {
      config.process.args = ["cat", "/proc/self/mountinfo"];
      edit(config, bundle);
    }),
  );
}
