/** Makes the Debian that tests of system containers boot (tests/support/debian_tree.ts). */

import { dirname } from "@std/path";
import { DEBIAN, PACKAGES } from "../../tests/support/debian_tree.ts";
import { exists } from "../support/paths.ts";
import { run } from "../support/run.ts";

const RELEASE = "bookworm";
/** What it may take, in seconds; a mirror that cannot be reached costs no more. */
const TIMEOUT_S = 300;
/** What no test reads. */
const LEFT_OUT = ["doc", "info", "locale", "man"].map((name) => `/usr/share/${name}/*`);
/** The names of the host that makes it. */
const OF_THE_HOST = ["hostname", "resolv.conf"].map((name) => `"$1/etc/${name}"`);

/** Makes it, unless it is there. */
export async function makeDebian(): Promise<void> {
  await Deno.mkdir(dirname(DEBIAN), { recursive: true });
  // Nobody else makes it meanwhile.
  using lock = await Deno.open(`${DEBIAN}.lock`, { write: true, create: true });
  await lock.lock(true);
  if (await exists(DEBIAN)) return;
  console.log(`setup: making a Debian in ${DEBIAN}`);
  const made = `${DEBIAN}.new`;
  await run("rm", ["-rf", "--one-file-system", made]);
  const options = [
    ...["--quiet", "--variant=minbase", "--format=directory", `--include=${PACKAGES}`],
    ...['--aptopt=APT::Install-Recommends "false"', "--dpkgopt=force-unsafe-io"],
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
    `--customize-hook=rm -f ${OF_THE_HOST.join(" ")}`,
  ];
  // With mounts of its own: what is killed leaves none behind.
  const line = ["unshare", "--mount", "--propagation", "private", "mmdebstrap", ...options];
  const source = `deb ${await mirror()} ${RELEASE} main`;
  await run("timeout", [String(TIMEOUT_S), ...line, RELEASE, made, source]);
  await Deno.rename(made, DEBIAN);
}

/** That of the host's own sources, which may be a near one. */
async function mirror(): Promise<string> {
  for (const file of ["sources.list", "sources.list.d/debian.sources"]) {
    if (!await exists(`/etc/apt/${file}`)) continue;
    const text = await Deno.readTextFile(`/etc/apt/${file}`);
    const [, found] = /^(?:URIs:|deb(?: \[.*\])?) *(\S+\/debian)\/?(?:\s|$)/m.exec(text) ?? [];
    if (found !== undefined) return found;
  }
  return "http://deb.debian.org/debian";
}
