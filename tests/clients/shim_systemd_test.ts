/** runts as a shim of containerd, on a host with systemd and cgroup v2. */

import { assertEquals, assertMatch } from "@std/assert";
import { ARCHIVE, GREEDY, imageScript } from "../support/clients/image.ts";
import { cgroupTest } from "../support/cgroups.ts";
import { command, RUNTIME } from "../support/runtime.ts";

const PRELUDE = `
cd /run
image=localhost/bb:latest
export CONTAINERD_NAMESPACE=shims
poll() { for i in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "in vain: $*"; return 1; }
run() { ctr run --runtime io.containerd.runts.v2 "$@"; }
pid() { ctr task ls | awk -v id=$1 '$1 == id { print $2 }'; }
status() { ctr task ls | awk -v id=$1 '$1 == id { print $3 }'; }
stopped() { [ "$(status $1)" = STOPPED ]; }
cgroup() { cut -d: -f3 /proc/$1/cgroup; }
down() { ctr task rm -f "$1" >/dev/null 2>&1; ctr container rm "$1"; }
listens() { ctr namespace label $CONTAINERD_NAMESPACE at=$(date +%N); test -s $1; }
`;

/** Runs a shell script that must succeed; gives standard output. */
async function ok(script: string): Promise<string> {
  const line = ["bash", "-ec", PRELUDE + script];
  const { code, stdout, stderr } = await command(line, { timeout: 300_000 });
  assertEquals(code, 0, `${script}\n${stdout}\n${stderr}`);
  return stdout;
}

function shimTest(name: string, test: () => Promise<void>): void {
  cgroupTest(`the shim with systemd: ${name}`, ["v2", "systemd"], async () => {
    await ok(`
      test -e /usr/local/sbin/containerd-shim-runts-v2 || {
        ln -s ${RUNTIME} /usr/local/sbin/containerd-shim-runts-v2
        ${imageScript("/run/image", "/run/image.tar")}
        systemctl start containerd; poll ctr version; cd /run
        ${ARCHIVE} ctr image import archive.tar >/dev/null
      }`);
    await test();
    assertEquals(await ok("ctr task ls -q; ctr container ls -q; ls /run/containerd/s"), "");
  });
}

shimTest("a cgroup of its own, with limits and figures", async () => {
  const shown = await ok(`
    run -d --memory-limit 67108864 $image plain sleep 1000; pid=$(pid plain)
    cgroup $pid; cat /sys/fs/cgroup$(cgroup $pid)/memory.max
    ctr task metrics plain | grep -cE '^(memory.usage|memory.usage_limit +67108864|pids.current +1)'
    cgroup $(awk '{ print $4 }' /proc/$pid/stat); cgroup $(pgrep -f 'shim serv[e]')
    down plain; test ! -e /sys/fs/cgroup/shims/plain && echo gone`);
  const service = "/system.slice/containerd.service";
  assertEquals(shown, `/shims/plain\n67108864\n3\n${service}\n${service}\ngone\n`);
});

shimTest("a scope of systemd's, by the path of the cgroup", async () => {
  const shown = await ok(`
    run -d --memory-limit 67108864 --cgroup shims.slice:ctr:scoped $image scoped sleep 1000
    cgroup $(pid scoped); systemctl show -p MemoryMax -p Slice ctr-scoped.scope | sort
    ctr task exec --exec-id e scoped sh -c 'exit 3' || echo $?
    down scoped; systemctl is-active ctr-scoped.scope || :`);
  assertEquals(
    shown,
    "/shims.slice/ctr-scoped.scope\nMemoryMax=67108864\nSlice=shims.slice\n3\ninactive\n",
  );
});

shimTest("a kill for want of memory is told of before the end", async () => {
  const shown = await ok(`
    ctr events >events & listener=$!; poll listens events
    run -d --memory-limit 16777216 $image greedy sh -c '${GREEDY}'
    ctr task exec --exec-id go greedy touch /tmp/go; poll stopped greedy
    poll grep -q '/tasks/exit.*"id":"greedy"' events; kill $listener
    ctr task rm greedy 2>&1 | grep -o 137; ctr container rm greedy
    grep -oE '/tasks/(oom|exit).*' events | grep -v '"id":"go"' | grep -oE '^/tasks/[a-z]+' | uniq`);
  assertEquals(shown, "137\n/tasks/oom\n/tasks/exit\n");
});

shimTest("containerd restarts, and an end meanwhile is known", async () => {
  const shown = await ok(`
    run -d $image stays sleep 1000
    run -d $image ends sh -c 'until [ -e /tmp/go ]; do sleep 0.1; done; exit 5'
    before=$(pid stays); rootfs=/proc/$(pid ends)/root
    systemctl stop containerd; touch $rootfs/tmp/go; systemctl start containerd; poll ctr version
    [ "$(pid stays)" = "$before" ] && status stays
    poll stopped ends; ctr task rm ends 2>&1 | grep -o 'code 5'; ctr container rm ends
    down stays`);
  assertMatch(shown, /^RUNNING\ncode 5\n$/);
});
