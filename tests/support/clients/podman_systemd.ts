/**
 * podman with systemd as cgroup manager on cgroup v2: as root, and as a user in a session. Each
 * check is run with runts and with crun; storage and configuration are the test's own.
 */

import { cgroupTest, type Need } from "../cgroups.ts";
import { command, type Output } from "../runtime.ts";
import { imageScript } from "./image.ts";
import { PRELUDE } from "./sandbox.ts";
import { type Check, mismatch, runtimes } from "./suite.ts";

/** A podman command takes seconds in an emulated machine. */
const TIMEOUT_MS = 60_000;

const CONF = `
[engine]
cgroup_manager = "systemd"
events_logger = "file"
runtime_supports_json = ["crun", "runts"]
runtime_supports_nocgroup = ["crun", "runts"]
[containers]
log_driver = "k8s-file"
netns = "none"
`;

/** Before every check: podman with storage in $HOST, and where the cgroup of a container is. */
const PODMAN = `
podman() {
  command podman --runtime "$RUNTIME" --root "$HOST/storage" --runroot "$HOST/run" "$@"
}
cgroup() { sed -n s/^0:://p "/proc/$(podman inspect --format '{{.State.Pid}}' "$1")/cgroup"; }
held() { c=/sys/fs/cgroup$(cgroup "$1"); shift; [ -e "$c/$1" ] || c=\${c%/*}; (cd "$c" && cat "$@"); }
`;

const DETACHED = "podman run -d --pull never";

const CHECKS: readonly Check[] = [
  {
    name: "run",
    script: "podman run --rm bb sh -c 'echo hello; exit 7'",
    stdout: "hello\n",
    code: 7,
  },
  {
    name: "a container is in a scope of its own",
    script: `${DETACHED} --name scope bb sleep 1000 >/dev/null
      cgroup scope | sed -E 's/[0-9a-f]{64}/ID/; s,/container$,,'
      systemctl $USER_MODE show -P Delegate "$(cgroup scope | grep -o 'libpod-[^/]*scope')"
      podman rm -f -t 0 scope >/dev/null`,
    stdout: /^\/(machine\.slice|.*\/user@\d+\.service\/user\.slice)\/libpod-ID\.scope\nyes\n$/,
  },
  {
    name: "exec",
    script: `${DETACHED} --name ex bb sleep 1000 >/dev/null
      podman exec ex sh -c 'echo in; exit 3'; echo $?
      podman exec -e A=b -w /tmp -u app ex sh -c 'echo $A $(pwd) $(id -u)'
      podman exec ex nosuch 2>/dev/null; echo $?
      podman rm -f -t 0 ex >/dev/null`,
    stdout: "in\n3\nb /tmp 1000\n127\n",
  },
  {
    name: "limits, which a daemon-reload keeps",
    script: `${DETACHED} --name lim --memory 64m --memory-swap 96m --memory-reservation 32m \\
        --pids-limit 33 --cpus 0.5 --cpuset-cpus 0 bb sleep 1000 >/dev/null
      limits() { held lim memory.max memory.swap.max memory.low pids.max cpu.max cpuset.cpus; }
      limits; systemctl $USER_MODE daemon-reload; limits | sha256sum >$HOST/after
      limits | sha256sum | cmp - $HOST/after && limits | tail -n 1
      podman exec lim cat /sys/fs/cgroup/memory.max
      podman rm -f -t 0 lim >/dev/null`,
    stdout: "67108864\n33554432\n33554432\n33\n50000 100000\n0\n0\n67108864\n",
  },
  {
    name: "update",
    script: `${DETACHED} --name upd --memory 64m bb sleep 1000 >/dev/null
      podman update --memory 99m --cpus 0.25 upd >/dev/null; held upd memory.max cpu.max
      podman rm -f -t 0 upd >/dev/null`,
    stdout: "103809024\n25000 100000\n",
  },
  {
    name: "stats",
    script: `${DETACHED} --name stats --memory 64m bb sleep 1000 >/dev/null
      podman stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' stats
      podman rm -f -t 0 stats >/dev/null`,
    stdout: /^stats [\d.]+kB \/ 67\.11MB 1\n$/,
  },
  {
    name: "pause and unpause",
    script: `${DETACHED} --name pause bb sleep 1000 >/dev/null; podman pause pause >/dev/null
      podman inspect --format '{{.State.Status}}' pause; held pause cgroup.events | grep frozen
      podman unpause pause >/dev/null; podman exec pause echo goes on
      podman rm -f -t 0 pause >/dev/null`,
    stdout: "paused\nfrozen 1\ngoes on\n",
  },
  {
    name: "removal of a paused container",
    script: `${DETACHED} --name iced bb sleep 1000 >/dev/null; podman pause iced >/dev/null
      podman rm -f -t 0 iced >/dev/null; podman ps -aq --filter name=iced`,
    stdout: "",
  },
  {
    name: "a container that uses up its memory",
    script: `podman run --name oom --memory 16m --memory-swap 16m bb \\
        dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; echo $?
      podman rm oom >/dev/null`,
    stdout: "137\n",
  },
  {
    name: "stop",
    script: `${DETACHED} --name stop bb \\
        sh -c 'trap "exit 7" TERM; echo up; while :; do sleep 0.05; done' >/dev/null
      is_up() { podman logs stop | grep up; }; poll is_up; podman stop -t 60 stop >/dev/null
      podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' stop
      podman rm stop >/dev/null`,
    stdout: "exited 7\n",
  },
  {
    name: "a pod has a slice, and its containers are in it",
    script: `podman pod create --name pod --share ipc,uts --cpus 0.5 --infra-image bb \\
        --infra-command 'sleep 1000' >/dev/null
      ${DETACHED} --pod pod --name a bb sleep 1000 >/dev/null
      cgroup a | sed -E 's/[0-9a-f]{64}/ID/g; s,/container$,,'
      cat "/sys/fs/cgroup$(cgroup a | grep -o '^.*libpod_pod[^/]*slice')/cpu.max"
      podman exec a echo in the pod
      podman pod stop -t 0 pod >/dev/null; podman pod rm -f pod >/dev/null; podman pod ls -q`,
    stdout: new RegExp(
      "^/.*/(machine|user)(\\.slice/\\1)?-libpod_pod_ID\\.slice/libpod-ID\\.scope\n" +
        "50000 100000\nin the pod\n$",
    ),
  },
  {
    name: "a container that manages its own cgroup",
    script: `podman run --rm --systemd always bb sh -c \\
        'mkdir /sys/fs/cgroup/inner && echo 1 >/sys/fs/cgroup/inner/cgroup.procs && echo moved'`,
    stdout: "moved\n",
  },
  {
    name: "no cgroup",
    script: "podman run --rm --cgroups disabled bb echo free",
    stdout: "free\n",
  },
  {
    name: "removal leaves nothing",
    script:
      `podman ps -aq; systemctl $USER_MODE list-units --all --plain --no-legend 'libpod-*.scope' |
        grep -v conmon`,
    stdout: "",
    code: 1,
  },
];

/** Configuration, and storage with the image, which all runtimes share. */
class Host {
  readonly #directory = Deno.makeTempDirSync({ prefix: "runts-podman-" });

  static async open(runtime: string): Promise<Host> {
    const host = new Host();
    Deno.writeTextFileSync(`${host.#directory}/containers.conf`, CONF);
    const make = imageScript("$HOST/image", "$HOST/image.tar");
    const script = `set -e\n${make}\npodman import $HOST/image.tar localhost/bb`;
    const { code, stderr } = await host.run(runtime, script);
    if (code !== 0) throw new Error(`no image: ${stderr}`);
    return host;
  }

  /** Runs a shell script with `podman` of this host and a runtime. */
  async run(runtime: string, script: string): Promise<Output> {
    const env = {
      ...Deno.env.toObject(),
      CONTAINERS_CONF: `${this.#directory}/containers.conf`,
      HOST: this.#directory,
      RUNTIME: runtime,
      USER_MODE: Deno.uid() === 0 ? "--system" : "--user",
    };
    return await command(["sh", "-c", PRELUDE + PODMAN + script], { env, timeout: TIMEOUT_MS });
  }

  /** Files of a user's storage belong to ids that are the user's in a namespace alone. */
  async remove(runtime: string): Promise<void> {
    const unshare = Deno.uid() === 0 ? "" : "podman unshare";
    await this.run(runtime, `podman rm -fa -t 0; podman rmi -fa; ${unshare} rm -rf "$HOST"`);
  }
}

/** Declares a test for each check, for a host that has what is needed. */
export function systemdSuite(needs: readonly Need[]): void {
  const paths = runtimes();
  const [runts = "", crun = ""] = [paths.get("runts"), paths.get("crun")];
  let host: Host | undefined;
  for (const check of CHECKS) {
    cgroupTest(`podman with systemd: ${check.name}`, needs, async () => {
      host ??= await Host.open(runts);
      const failure = mismatch(check, await host.run(runts, check.script));
      const peer = mismatch(check, await host.run(crun, check.script));
      if (failure !== undefined) throw new Error(`${failure}\ncrun: ${peer ?? "passes"}`);
      if (peer !== undefined) console.log(`not passed by crun: ${peer}`);
    });
  }
  Deno.test.afterAll(() => host?.remove(crun));
}
