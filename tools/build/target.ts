/** The machines that runts is built for: the one that builds, and others by cross compilers. */

import { join } from "@std/path";
import { DIST } from "../support/paths.ts";
import { output } from "../support/run.ts";

/** Names of machines as the kernel has them. */
export const MACHINES = ["x86_64", "aarch64"] as const;
type Machine = typeof MACHINES[number];

/** How one of them is built for. */
export interface Target {
  readonly machine: Machine;
  /** Where everything goes. */
  readonly folder: string;
  /** For the library and the front; its linker finds glibc. */
  readonly gcc: string;
  /** Words before those of gcc: it compiles against musl. */
  readonly musl: readonly [compiler: string, ...options: string[]];
  readonly objcopy: string;
  /** Options of gcc that only this processor has. */
  readonly flags: readonly string[];
  /** The executable of Deno. */
  readonly deno: string;
  /** Words before a program of that machine, so that this one runs it. */
  readonly runner: readonly string[];
}

/** Calls and jumps only go where they are meant to. */
const PROCESSOR_FLAGS: Readonly<Record<Machine, readonly string[]>> = {
  x86_64: ["-fcf-protection"],
  aarch64: ["-mbranch-protection=standard"],
};

/** The machine that builds. */
export const NATIVE: Target = {
  machine: Deno.build.arch,
  folder: DIST,
  gcc: "gcc",
  musl: ["musl-gcc"],
  objcopy: "objcopy",
  flags: PROCESSOR_FLAGS[Deno.build.arch],
  deno: Deno.execPath(),
  runner: [],
};

/** Debian's name of a machine. */
export const DEBIAN_NAMES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };
/** Deno's packages on npm. */
const DENO_PACKAGES: Readonly<Record<Machine, string>> = {
  x86_64: "@deno/linux-x64-glibc",
  aarch64: "@deno/linux-arm64-glibc",
};

/**
 * Another machine, for which Debian's cross compiler, its emulator, its musl and Deno's package are needed: the
 * last two are fetched into a folder of dist/, without a change of the host.
 */
export async function crossTarget(machine: Machine): Promise<Target> {
  const folder = join(DIST, machine);
  const fetched = join(folder, "fetched");
  await Deno.mkdir(fetched, { recursive: true });
  const [specs, deno] = [await fetchMusl(machine, fetched), await fetchDeno(machine, fetched)];
  const gcc = `${machine}-linux-gnu-gcc`;
  return {
    machine,
    folder,
    gcc,
    // The headers of the kernel are beside those of glibc, which come last.
    musl: [gcc, `-specs=${specs}`, "-idirafter", `/usr/${machine}-linux-gnu/include`],
    objcopy: `${machine}-linux-gnu-objcopy`,
    flags: PROCESSOR_FLAGS[machine],
    deno,
    runner: [`qemu-${machine}-static`, "-L", `/usr/${machine}-linux-gnu`],
  };
}

/** Fetches a thing once: it is there when it is whole. */
async function once(path: string, make: (fresh: string) => Promise<void>): Promise<string> {
  const isThere = await Deno.stat(path).then(() => true, () => false);
  if (isThere) return path;
  const fresh = `${path}.new`;
  await Deno.remove(fresh, { recursive: true }).catch(() => {});
  await Deno.mkdir(fresh, { recursive: true });
  await make(fresh);
  await Deno.rename(fresh, path);
  return path;
}

/** Debian's package of that machine; gives the path of options for gcc. */
async function fetchMusl(machine: Machine, folder: string): Promise<string> {
  const root = join(folder, "musl");
  const specs = `usr/lib/${machine}-linux-musl/musl-gcc.specs`;
  await once(root, async (fresh) => {
    const packages = await Deno.makeTempDir({ prefix: "runts-apt-" });
    try {
      await downloadPackage("musl-dev", DEBIAN_NAMES[machine]!, packages);
      for await (const { name } of Deno.readDir(packages)) {
        if (name.endsWith(".deb")) await output("dpkg-deb", ["-x", join(packages, name), fresh]);
      }
    } finally {
      await Deno.remove(packages, { recursive: true });
    }
    const text = await Deno.readTextFile(join(fresh, specs));
    await Deno.writeTextFile(join(fresh, specs), text.replaceAll("/usr/", `${root}/usr/`));
  });
  return join(root, specs);
}

/** By lists of packages of its own: those of the host stay as they are. */
async function downloadPackage(name: string, architecture: string, folder: string): Promise<void> {
  const options = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures::=${architecture}`,
    `Dir::State::lists=${folder}/lists`,
    `Dir::State::status=/dev/null`,
    `Dir::Cache=${folder}/cache`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  for (const path of ["lists/partial", "cache/archives/partial"]) {
    await Deno.mkdir(join(folder, path), { recursive: true });
  }
  await output("apt-get", [...options, "update"]);
  await output("apt-get", [...options, "download", name], { cwd: folder });
}

/** The same version as the one that runs this. */
async function fetchDeno(machine: Machine, folder: string): Promise<string> {
  const name = `${DENO_PACKAGES[machine]}@${Deno.version.deno}`;
  const path = await once(join(folder, `deno-${Deno.version.deno}`), async (fresh) => {
    const file = (await output("npm", ["pack", "--silent", name], { cwd: fresh })).trim();
    await output("tar", ["-xzf", join(fresh, file), "-C", fresh]);
    await Deno.remove(join(fresh, file));
  });
  return join(path, "package", "deno");
}
