/** What podman does with containers as root. */

import { PODMAN_CHECKPOINT_CHECKS } from "./checkpoint_checks.ts";
import { BASIC_CHECKS } from "./podman_checks.ts";
import type { Check } from "./suite.ts";

/** What only root can ask for. */
const ROOT_CHECKS: readonly Check[] = [
  {
    name: "limits",
    script: `podman run --rm --memory 64m --pids-limit 33 --cpu-shares 512 --cpus 0.5 bb sh -c '
      cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.shares cpu/cpu.cfs_quota_us'`,
    stdout: "67108864\n33\n512\n50000\n",
  },
  {
    name: "a container that uses up its memory",
    script:
      `podman run --rm --memory 16m bb dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null`,
    stdout: "",
    code: 137,
  },
  {
    name: "update",
    script: `podman run -d --name upd bb sleep 1000 >/dev/null
      podman update --cpu-shares 777 --memory 99m upd >/dev/null
      podman exec upd cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/memory/memory.limit_in_bytes
      podman rm -f -t 0 upd >/dev/null`,
    stdout: "777\n103809024\n",
  },
  {
    name: "pause and unpause",
    script: `podman run -d --name pause bb sleep 1000 >/dev/null; podman pause pause >/dev/null
      podman inspect --format '{{.State.Status}}' pause; podman exec pause true 2>/dev/null || echo no exec; podman unpause pause >/dev/null
      podman exec pause echo goes on; podman rm -f -t 0 pause >/dev/null`,
    stdout: "paused\nno exec\ngoes on\n",
  },
  {
    name: "stats",
    script: `podman run -d --name stats --memory 64m bb sleep 1000 >/dev/null
      podman stats --no-stream --format '{{.Name}} {{.MemLimit}} {{.PIDs}}' stats; podman rm -f -t 0 stats >/dev/null`,
    stdout: /^stats \d+ 1\n|^stats .*1\n/,
  },
  {
    name: "user namespace",
    script:
      `podman run --rm --uidmap 0:100000:2000 --gidmap 0:100000:2000 bb sh -c 'cat /proc/self/uid_map; id -u; stat -c %u /bin/busybox'`,
    stdout: / +0 +100000 +2000\n0\n0\n/,
  },
  {
    name: "privileged",
    script:
      "podman run --rm --privileged bb sh -c 'grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp && echo mounted'",
    stdout: "Seccomp:\t0\nmounted\n",
  },
  {
    name: "a device",
    script:
      "podman run --rm --device /dev/null:/dev/nothing bb sh -c 'echo x > /dev/nothing; stat -c %F /dev/nothing'",
    stdout: "character special file\n",
  },
  {
    name: "the host's process ids",
    script: "podman run --rm --pid host bb cat /proc/1/comm",
    stdout: "sh\n",
  },
  {
    name: "stop of a container without its own process ids",
    script: `podman run -d --name hostpid --pid host bb sh -c 'sleep 96 & sleep 96' >/dev/null
      podman stop -t 0 hostpid >/dev/null; podman rm hostpid >/dev/null
      ps -C sleep -o args= | grep -c 'sleep 96'`,
    stdout: "0\n",
    code: 1,
  },
  {
    name: "the host's network",
    script:
      'podman run --rm --network host bb readlink /proc/self/ns/net | grep -cF "$(readlink /proc/self/ns/net)"',
    stdout: "1\n",
  },
  {
    name: "no cgroup",
    script: "podman run --rm --cgroups disabled bb echo free",
    stdout: "free\n",
  },
  {
    name: "an OCI hook",
    script: `mkdir -p /run/hooks; cat > /run/hooks/h.json <<'X'
{"version":"1.0.0","hook":{"path":"/bin/sh","args":["sh","-c","cat > /run/hooks/state"]},"when":{"always":true},"stages":["prestart"]}
X
      podman --hooks-dir /run/hooks run --rm bb echo ran; grep -c '"pid"' /run/hooks/state`,
    stdout: /^ran\n[1-9]\n$/,
  },
  {
    name: "cleanup leaves nothing",
    script:
      "podman ps -aq; ls /run/runts 2>/dev/null; grep -c overlay-containers /proc/self/mounts",
    stdout: "0\n",
    code: 1,
  },
];

const LAST = ROOT_CHECKS.length - 1; // that nothing is left

export const PODMAN_CHECKS = [
  ...BASIC_CHECKS,
  ...ROOT_CHECKS.slice(0, LAST),
  ...PODMAN_CHECKPOINT_CHECKS,
  ...ROOT_CHECKS.slice(LAST),
];
