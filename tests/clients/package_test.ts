/** The Debian package: installed on a host with systemd, used by its clients, and removed without a trace. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { cgroupTest } from "../support/cgroups.ts";
import { command, PROJECT, until } from "../support/runtime.ts";

/** The virtual machine has it made anew; elsewhere `deno task dist` makes it. */
const RELEASE = `${PROJECT}/dist/release`;
/** What clients, the package manager and this test keep by themselves. */
const PASSED_OVER = [
  ...[
    "/dev",
    "/etc/cni",
    "/proc",
    "/run",
    "/share",
    "/sys",
    "/tmp",
    "/var/cache",
    "/var/log",
    "/var/tmp",
  ],
  ...["/var/lib/containerd", "/var/lib/containers", "/var/lib/cni", "/var/lib/docker"],
  ...["/var/lib/dpkg", "/var/lib/systemd", "/root"],
];

/** Runs a shell script that must succeed; gives standard output. */
async function ok(script: string): Promise<string> {
  const { code, stdout, stderr } = await command(["bash", "-ec", script], { timeout: 600_000 });
  assertEquals(code, 0, `${script}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Names of processes of what is tested. */
function processes(): Promise<string> {
  return ok("ps -eo comm= | grep -E '^(runts|containerd-shim-ru)' | sort || :");
}

/** Every file of the host, and every process of what is tested. */
async function host(): Promise<string> {
  const prune = PASSED_OVER.map((path) => `-path ${path}`).join(" -o ");
  return await ok(`find / \\( ${prune} \\) -prune -o -print | sort`) + await processes();
}

/** A root filesystem of busybox, as an image of podman and as a directory. */
const IMAGE = `
  mkdir -p /tmp/image/bin /tmp/image/proc /tmp/image/dev /tmp/image/sys /tmp/image/etc
  cp /bin/busybox /tmp/image/bin/
  for name in sh echo sleep true cat; do ln -sf busybox /tmp/image/bin/$name; done`;

/** podman, containerd and LXC's commands, each with one container. */
async function useByClients(): Promise<void> {
  assertEquals(
    await ok(`
      tar -C /tmp/image -c . | podman import --quiet - bb >/dev/null
      podman --runtime runts run --rm --network none bb /bin/echo podman
      podman save --quiet -o /tmp/bb.tar bb`),
    "podman\n",
  );
  const shim = await ok("ls /usr/bin/containerd-shim-runts-v2 2>/dev/null || :");
  const runtime = shim === ""
    ? "--runtime io.containerd.runc.v2 --runc-binary /usr/bin/runts"
    : "--runtime io.containerd.runts.v2";
  assertEquals(
    await ok(`
      systemctl start containerd
      ctr image import /tmp/bb.tar >/dev/null
      ctr run --rm ${runtime} localhost/bb:latest packaged /bin/echo containerd
      systemctl stop containerd`),
    "containerd\n",
  );
  assertMatch(
    await ok(`
      mkdir -p /tmp/lxc/box && cp -r /tmp/image /tmp/lxc/box/rootfs
      printf '%s\\n' 'lxc.uts.name = box' 'lxc.rootfs.path = dir:/tmp/lxc/box/rootfs' \\
        'lxc.net.0.type = empty' 'lxc.init.cmd = /bin/sleep 1000' >/tmp/lxc/box/config
      lxc-start -P /tmp/lxc -n box
      lxc-info -P /tmp/lxc -n box -s
      lxc-stop -P /tmp/lxc -n box -k`),
    /^State: +RUNNING\n$/,
  );
}

/** That the brain stops, or starts anew, is nothing to a container that it has made, and to its client. */
async function restartBrain(): Promise<void> {
  const brain = "systemctl show --value --property MainPID runts.service";
  assertEquals(
    await ok(`
      podman --runtime runts run -d --network none --name kept bb /bin/sleep 1000 >/dev/null
      pid=$(podman inspect --format '{{.State.Pid}}' kept)
      before=$(${brain})
      systemctl restart runts.service
      [ "$(${brain})" != "$before" ]
      podman exec kept /bin/echo again
      systemctl stop runts.service runts.socket
      podman exec kept /bin/echo alone
      [ "$(podman inspect --format '{{.State.Pid}} {{.State.Status}}' kept)" = "$pid running" ]
      systemctl start runts.socket
      podman rm --force --time 0 kept >/dev/null
      [ ! -e "/proc/$pid" ]`),
    "again\nalone\n",
  );
}

cgroupTest("the package, from its installation to its removal", ["v2", "systemd"], async () => {
  const files = Array.from(Deno.readDirSync(RELEASE), ({ name }) => name);
  const deb = files.find((name) => name.endsWith(".deb"));
  assert(deb !== undefined, "dist/release has no package: deno task dist");
  await ok(`cd ${RELEASE} && sha256sum --check --ignore-missing SHA256SUMS`);
  const before = await host();
  await ok(`dpkg --install ${RELEASE}/${deb}`);
  assertEquals(await ok("dpkg --verify runts"), "");

  assertMatch(await ok("runts --version"), /^runts version \d+\.\d+\.\d+\ncommit: [0-9a-f]{40}/);
  assertMatch(await ok("zcat /usr/share/man/man1/runts.1.gz"), /^\.TH RUNTS 1/);
  await ok("bash -n /usr/share/bash-completion/completions/runts");
  const { components } = JSON.parse(await ok("cat /usr/share/doc/runts/runts.cdx.json"));
  assertEquals(components.map(({ name }: { name: string }) => name), ["deno", "v8", "musl"]);
  assertStringIncludes(
    await ok("cat /usr/share/doc/runts/examples/containers-containers.conf"),
    'runts = ["/usr/bin/runts"]',
  );
  assertEquals(
    await ok("ls /usr/share/doc/runts/examples"),
    [
      ...["containerd-config-shim.toml", "containerd-config.toml", "containers-containers.conf"],
      ...["docker-daemon.json", "profile.d-buildah.sh", "runtimeclass.yaml", ""],
    ].join("\n"),
  );

  assertEquals(await ok("systemctl is-enabled runts.socket"), "enabled\n");
  assertEquals(await ok("systemctl is-active runts.socket"), "active\n");

  await ok(IMAGE);
  await useByClients();
  // A command has found the socket, which has brought the brain.
  await until(
    "the brain serves",
    async () => await ok("systemctl is-active runts.service || :") === "active\n",
    60_000,
  );
  assertEquals(
    await ok("systemctl show --property MemoryMax runts.service"),
    "MemoryMax=268435456\n",
  );
  await restartBrain();

  await ok("dpkg --purge runts");
  // What it was told to end has a moment for it.
  await until("no process is left", async () => await processes() === "", 10_000);
  assertEquals(await host(), before);
  assertEquals(await ok("ls -A /run/runts 2>/dev/null || :"), "");
});
