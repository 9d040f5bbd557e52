/**
 * Checks what the build and the tests need and, as root on Debian, installs what is missing.
 * Elsewhere it names what to install.
 *
 *     deno task setup [build|test|systems|clients|vm|aarch64]…      default: build test
 */

import { exists } from "./support/paths.ts";
import { fail, run } from "./support/run.ts";
import { makeDebian } from "./test/debian.ts";

/** Something that a Debian package brings. */
interface Need {
  package: string;
  /** Programs looked up in PATH, or absolute paths, of which one must exist. */
  look: string | string[];
  why: string;
}

const LIBRARIES = [`/usr/lib/${Deno.build.arch}-linux-gnu`, "/usr/lib64", "/usr/lib"];

/** What each group of tasks needs. */
export const NEEDS: Record<string, Need[]> = {
  build: [
    { package: "gcc", look: "gcc", why: "compiles the helper library" },
    { package: "binutils", look: "objcopy", why: "flattens the front of the executable" },
    {
      package: "libc6-dev",
      look: ["/usr/include/stdio.h"],
      why: "headers of the C library",
    },
    { package: "musl-tools", look: "musl-gcc", why: "compiles the static init" },
    {
      package: "libseccomp2",
      look: LIBRARIES.map((folder) => `${folder}/libseccomp.so.2`),
      why: "compiles seccomp profiles at run time",
    },
    { package: "busybox-static", look: "busybox", why: "root filesystem of demo and tests" },
  ],
  test: [
    { package: "crun", look: "crun", why: "peer that shares the state directory" },
    { package: "runc", look: "runc", why: "peer that the tests are proven on" },
    { package: "strace", look: "strace", why: "shows which files the executable writes" },
    { package: "util-linux", look: "unshare", why: "private mount namespaces" },
    { package: "procps", look: "ps", why: "process lists" },
    { package: "bsdutils", look: "script", why: "commands on a terminal" },
    { package: "curl", look: "curl", why: "builds with BuildKit" },
    { package: "iproute2", look: "ip", why: "network devices that move into containers" },
    { package: "uidmap", look: "newuidmap", why: "subordinate ids of users without root" },
    {
      package: "lxc",
      look: ["/usr/share/lxc/templates/lxc-busybox"],
      why: "templates of system containers, and configurations that must be found sound",
    },
    { package: "libcap2-bin", look: "setcap", why: "capabilities of files that are copied" },
    { package: "xz-utils", look: "xz", why: "images of system containers" },
    { package: "zsh", look: "zsh", why: "shell whose completion is tested" },
    { package: "fish", look: "fish", why: "shell whose completion is tested" },
    {
      package: "chromium-headless-shell",
      look: ["chromium-headless-shell", "chromium", "google-chrome"],
      why: "looks at pages",
    },
    { package: "groff-base", look: "groff", why: "shows that the manual page is sound" },
  ],
  aarch64: [
    { package: "gcc-aarch64-linux-gnu", look: "aarch64-linux-gnu-gcc", why: "builds for arm64" },
    {
      package: "libc6-dev-arm64-cross",
      look: ["/usr/aarch64-linux-gnu/include/stdio.h"],
      why: "headers of the C library for arm64",
    },
    {
      package: "qemu-user-static",
      look: "qemu-aarch64-static",
      why: "lets V8 compile its code cache for arm64",
    },
  ],
  systems: [
    { package: "mmdebstrap", look: "mmdebstrap", why: "makes a Debian that tests boot" },
    { package: "gpg", look: "gpg", why: "checks the packages of that Debian" },
  ],
  clients: [
    { package: "podman", look: "podman", why: "client" },
    { package: "uidmap", look: "newuidmap", why: "podman without root" },
    { package: "catatonit", look: "catatonit", why: "podman run --init" },
    { package: "containerd", look: "containerd", why: "client" },
    {
      package: "containernetworking-plugins",
      look: ["/usr/lib/cni/ptp"],
      why: "networks of Kubernetes pods",
    },
    { package: "docker.io", look: "dockerd", why: "client" },
    { package: "buildah", look: "buildah", why: "client" },
    { package: "curl", look: "curl", why: "builds with BuildKit" },
    { package: "iproute2", look: "ip", why: "brings the sandbox's loopback up" },
    { package: "bsdutils", look: "script", why: "commands on a terminal" },
  ],
  vm: [
    { package: "mmdebstrap", look: "mmdebstrap", why: "makes the virtual machine's disk" },
    { package: "gpg", look: "gpg", why: "checks the packages of that disk" },
    {
      package: "qemu-system-x86",
      look: "qemu-system-x86_64",
      why: "runs the virtual machine",
    },
    { package: "qemu-utils", look: "qemu-img", why: "makes the virtual machine's disk" },
    {
      package: "linux-image-cloud-amd64",
      look: ["/var/lib/dpkg/info/linux-image-cloud-amd64.list"],
      why: "kernel of the virtual machine",
    },
    { package: "cpio", look: "cpio", why: "packs the virtual machine's initrd" },
    { package: "e2fsprogs", look: "mke2fs", why: "makes the virtual machine's disk" },
    { package: "util-linux", look: "setpriv", why: "ends the virtual machine with the script" },
  ],
};

async function isMissing({ look }: Need): Promise<boolean> {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  const folders = [...path, "/usr/sbin", "/sbin"].filter(Boolean);
  const places = [look].flat().flatMap((one) =>
    one.startsWith("/") ? [one] : folders.map((folder) => `${folder}/${one}`)
  );
  for (const place of places) {
    if (await exists(place)) return false;
  }
  return true;
}

async function missing(groups: string[]): Promise<Need[]> {
  const needs = groups.flatMap((group) => NEEDS[group] ?? fail(`no group "${group}"`));
  const found = await Promise.all(needs.map(isMissing));
  const lacking = needs.filter((_, i) => found[i]);
  return [...new Map(lacking.map((need) => [need.package, need])).values()];
}

function describe(needs: Need[]): string {
  return needs.map((need) => `  ${need.package}: ${need.why}`).join("\n");
}

async function setup(groups: string[]): Promise<void> {
  if (Deno.build.os !== "linux") fail("runts builds and runs on Linux only");
  await installMissing(groups);
  if (groups.includes("systems")) await makeDebian();
  console.log(`setup: everything for ${groups.join(" and ")} is there`);
}

async function installMissing(groups: string[]): Promise<void> {
  const lacking = await missing(groups);
  if (lacking.length === 0) return;
  const packages = lacking.map((need) => need.package);
  const canInstall = Deno.uid() === 0 && await exists("/usr/bin/apt-get");
  if (!canInstall) {
    fail(
      `missing:\n${describe(lacking)}\n` +
        `on Debian, as root: apt-get install ${packages.join(" ")}`,
    );
  }
  console.log(`setup: installing\n${describe(lacking)}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-q"], { env });
  await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...packages], { env });
  const still = await missing(groups);
  if (still.length > 0) fail(`still missing after the installation:\n${describe(still)}`);
}

if (import.meta.main) {
  const groups = Deno.args.length > 0 ? Deno.args : ["build", "test"];
  await setup(groups).catch((error) => fail(error.message));
}
