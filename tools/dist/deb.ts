/** The Debian package, by dpkg-deb(1). */

import { join } from "@std/path";
import { VERSION } from "../../lib/base/version.ts";
import { ROOT } from "../support/paths.ts";
import { run } from "../support/run.ts";
import { md5Sums, setTimes } from "./archive.ts";
import { put, textsIn } from "./layout.ts";

/** Of the package. */
interface DebOptions {
  /** Seconds since 1970 that every file has. */
  readonly time: number;
  /** As Debian calls it. */
  readonly arch: string;
}

/** Of the packaging of one version. */
export const REVISION = 1;
const MAINTAINER = "the runts authors <runts@users.noreply.github.com>";
/** Where podman and buildah read what is beside their own configuration. */
const PODMAN = "etc/containers/containers.conf.d/runts.conf";
const SUMMARY = "OCI container runtime in TypeScript";
const DESCRIPTION = ` runts creates and runs containers as the OCI runtime specification says, for
 podman, containerd, Docker, buildah and for scripts. Errors name their cause
 and the part of the configuration, plans can be read before they run, and
 containers can be supervised without a daemon. It reads the configurations of
 LXC, too.`;

/** Makes a package of what is below `root`, to which what dpkg wants is added. */
export async function makeDeb(root: string, file: string, options: DebOptions): Promise<void> {
  await put(root, "usr/share/doc/runts/copyright", await packaging("copyright"));
  await put(root, "usr/share/lintian/overrides/runts", await packaging("lintian-overrides"));
  await put(root, "usr/share/doc/runts/changelog.Debian", changelog(options));
  await run("gzip", ["-n", "-9", join(root, "usr/share/doc/runts/changelog.Debian")]);
  await put(root, PODMAN, await Deno.readTextFile(join(ROOT, "packaging/containers.conf")));
  await put(root, "DEBIAN/conffiles", `/${PODMAN}\n`);
  const units = (await textsIn("packaging/systemd")).map(([name]) => name);
  for (const name of ["postinst", "prerm", "postrm"]) {
    const script = (await packaging(name)).replace(/^ *@UNITS@\n/m, unitLines(name, units));
    await put(root, `DEBIAN/${name}`, script, 0o755);
  }
  const sums = await md5Sums(join(root, "usr"));
  await put(root, "DEBIAN/md5sums", sums.replace(/^(\S+ {2})/gm, "$1usr/"));
  await put(root, "DEBIAN/control", await control(root, options));
  await setTimes(root, options.time);
  const env = { SOURCE_DATE_EPOCH: String(options.time) };
  const flags = ["--root-owner-group", "-Zgzip", "-z6", "--uniform-compression"];
  await run("dpkg-deb", [...flags, "--build", root, file], { env });
}

/** Has lintian(1) look at a package, where it is installed: an error of its is one of the build. */
export async function checkDeb(file: string): Promise<void> {
  try {
    await run("lintian", ["--fail-on", "error", file]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      console.log("no lintian: the package is not checked");
    } else throw error;
  }
}

async function packaging(name: string): Promise<string> {
  return await Deno.readTextFile(join(ROOT, "packaging/debian", name));
}

/** deb-changelog(5); what has changed is in the changelog of runts. */
function changelog({ time }: DebOptions): string {
  const date = new Date(time * 1000).toUTCString().replace("GMT", "+0000");
  return `runts (${VERSION}-${REVISION}) unstable; urgency=medium

  * The package of version ${VERSION}; see changelog.gz.

 -- ${MAINTAINER}  ${date}
`;
}

/** deb-control(5). */
async function control(root: string, { arch }: DebOptions): Promise<string> {
  return `Package: runts
Version: ${VERSION}-${REVISION}
Architecture: ${arch}
Maintainer: ${MAINTAINER}
Installed-Size: ${Math.ceil(await sizeOf(root) / 1024)}
Depends: libc6 (>= 2.31), libgcc-s1
Recommends: libseccomp2, procps
Suggests: criu, libsystemd0, uidmap
Section: admin
Priority: optional
Description: ${SUMMARY}
${DESCRIPTION}
`;
}

/** Starts sockets of systemd when a package is installed, and stops them before it is removed. */
function unitLines(script: string, units: readonly string[]): string {
  const sockets = units.filter((name) => name.endsWith(".socket")).join(" ");
  if (sockets === "" || script === "postrm") return "";
  // Without systemd at work the links are made and removed all the same.
  const action = script === "postinst" ? "enable" : "disable";
  const services = sockets.replaceAll(".socket", ".service");
  const now = script === "postinst" ? `restart ${sockets}` : `stop ${sockets} ${services}`;
  return `  systemctl ${action} --quiet ${sockets} || :
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    systemctl ${now} || :
  fi
`;
}

async function sizeOf(directory: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    size += isDirectory ? await sizeOf(path) : (await Deno.lstat(path)).size;
  }
  return size;
}
