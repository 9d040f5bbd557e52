/** What Docker does with containers. */

import { DOCKER_CHECKPOINT_CHECKS } from "./checkpoint_checks.ts";
import { GREEDY, POLITE } from "./image.ts";
import { type Check, MAY_LOWER_SCORE } from "./suite.ts";

const SHORT = `
run() { docker run --network none "$@"; }
up() { name=$1; shift; run -d --name $name "$@" bb sleep 1000 >/dev/null; }
down() { docker rm -f "$1" >/dev/null; }
look() { docker inspect --format "$2" "$1"; }
state() { [ "$(look "$1" "$2")" = "$3" ]; }
`;

const CHECKS: readonly Check[] = [
  { name: "run", script: "run --rm bb echo hello", stdout: "hello\n" },
  {
    name: "the runtime is the one of daemon.json",
    script: "docker info --format '{{.DefaultRuntime}} {{(index .Runtimes \"runts\").Path}}'",
    stdout: "runts /usr/local/sbin/runts\n",
  },
  { name: "--runtime", script: "run --rm --runtime runts bb echo hello", stdout: "hello\n" },
  { name: "exit code", script: "run --rm bb sh -c 'exit 7'", stdout: "", code: 7 },
  {
    name: "no such program",
    script: "run --rm bb nosuch 2>&1",
    stdout: /executable file not found in \$PATH/,
    code: 127,
  },
  {
    name: "no such path",
    script: "run --rm bb /no/such 2>&1",
    stdout: /no such file or directory/,
    code: 127,
  },
  {
    name: "a program that may not run",
    script: "run --rm bb /etc/passwd 2>&1",
    stdout: /permission denied/,
    code: 126,
  },
  {
    name: "a program that is a directory",
    script: "run --rm bb /etc 2>&1; echo $?; up dir; docker exec dir /etc; echo $?; down dir",
    stdout: /permission denied[^]*\n126\n[^]*126\n$/,
  },
  {
    name: "an oom score that the host refuses",
    script: "run --rm --oom-score-adj -1000 bb true",
    stdout: "",
    // Where the host permits it, it is no failure.
    code: MAY_LOWER_SCORE ? 0 : 125,
  },
  {
    name: "a file mounted on a directory",
    script: "run --rm -v /etc/passwd:/tmp bb true 2>&1",
    stdout: /Are you trying to mount a directory onto a file/,
    code: 125,
  },
  {
    name: "standard input",
    script: "dd if=/dev/zero bs=1000 count=300 2>/dev/null | run --rm -i bb wc -c",
    stdout: "300000\n",
  },
  {
    name: "a terminal",
    script: `script -qec 'docker run --network none --rm -it bb tty' /dev/null </dev/null`,
    stdout: /\/dev\/pts\/0\s/,
  },
  {
    name: "detach, wait and logs",
    script: `run -d --name logs bb sh -c 'echo one; echo two >&2; exit 5' >/dev/null
      docker wait logs; docker logs logs 2>&1 | sort; docker rm logs >/dev/null`,
    stdout: "5\none\ntwo\n",
  },
  {
    name: "create, start, attach",
    script: `docker create --network none --name att bb sh -c 'echo attached; exit 4' >/dev/null
      docker start --attach att; echo $?; docker start --attach att; docker rm att >/dev/null`,
    stdout: "attached\n4\nattached\n",
  },
  {
    name: "exec",
    script: `up ex; docker exec ex sh -c 'echo in; exit 3'; echo $?
      docker exec -e A=b -w /tmp -u app ex sh -c 'echo $A $(pwd) $(id -u)'
      echo text | docker exec -i ex cat; docker exec ex nosuch >/dev/null 2>&1; echo $?
      docker exec -d ex touch /tmp/made; poll docker exec ex ls /tmp/made && echo made; down ex`,
    stdout: /^in\n3\nb \/tmp 1000\ntext\n12[67]\nmade\n$/,
  },
  {
    name: "exec with a terminal",
    script: `up ext; script -qec 'docker exec -it ext tty' /dev/null </dev/null; down ext`,
    stdout: /\/dev\/pts\/\d\s/,
  },
  {
    name: "stop",
    script: `run -d --name stop bb sh -c '${POLITE}' >/dev/null
      poll sh -c 'docker logs stop | grep up'; docker stop -t 10 stop >/dev/null
      look stop '{{.State.Status}} {{.State.ExitCode}}'; down stop`,
    stdout: "exited 7\n",
  },
  {
    name: "restart",
    script: `up again; docker restart -t 0 again >/dev/null; look again '{{.State.Status}}'
      docker exec again echo goes on; down again`,
    stdout: "running\ngoes on\n",
  },
  {
    name: "attach",
    script: `run -d -i --name att bb sh -c 'read line; echo got $line; exit 6' >/dev/null
      echo text | docker attach att >/dev/null; docker wait att; docker logs att; down att`,
    stdout: "6\ngot text\n",
  },
  {
    name: "kill",
    script: `up kill; docker kill kill >/dev/null; look kill '{{.State.ExitCode}}'; down kill`,
    stdout: "137\n",
  },
  {
    name: "pause and unpause",
    script:
      `up frozen; docker pause frozen >/dev/null; look frozen '{{.State.Status}}'; docker unpause frozen >/dev/null
      docker exec frozen echo goes on; down frozen`,
    stdout: "paused\ngoes on\n",
  },
  { name: "top", script: `up top; docker top top | grep -c 'sleep 1000'; down top`, stdout: "1\n" },
  {
    name: "stats",
    script:
      `up st --memory 64m; docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' st; down st`,
    stdout: /^st 1 .*\/ 64MiB\n$/,
  },
  {
    name: "limits",
    script: `run --rm --memory 64m --pids-limit 33 --cpu-shares 512 --cpus 0.5 bb sh -c '
      cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.shares cpu/cpu.cfs_quota_us'`,
    stdout: "67108864\n33\n512\n50000\n",
  },
  {
    name: "update",
    script: `up upd; docker update --memory 99m --memory-swap 99m --pids-limit 44 upd >/dev/null
      docker exec upd cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes; down upd`,
    stdout: "44\n103809024\n",
  },
  {
    name: "a container that uses up its memory",
    script:
      `run -d --name oom --memory 16m bb sh -c '${GREEDY}' >/dev/null; docker exec oom touch /tmp/go; docker wait oom
      poll state oom '{{.State.OOMKilled}}' true && echo true; down oom`,
    stdout: "137\ntrue\n",
  },
  {
    name: "read-only root",
    script:
      "run --rm --read-only --tmpfs /tmp bb sh -c 'touch /x 2>/dev/null || touch /tmp/x && echo only tmp'",
    stdout: "only tmp\n",
  },
  {
    name: "user and groups",
    script: "run --rm --user app bb id; run --rm --user 5:6 bb id",
    stdout: /^uid=1000\(app\) gid=1000\(app\) groups=1000\(app\),2000\(extra\)\nuid=5.* gid=6/,
  },
  {
    name: "capabilities",
    script: `run --rm --cap-drop all bb grep CapEff /proc/self/status
      run --rm --cap-drop all --cap-add NET_BIND_SERVICE bb grep -E 'Cap(Eff|Bnd)' /proc/self/status`,
    stdout: "CapEff:\t0000000000000000\nCapEff:\t0000000000000400\nCapBnd:\t0000000000000400\n",
  },
  {
    name: "no new privileges",
    script: "run --rm --security-opt no-new-privileges bb grep NoNewPrivs /proc/self/status",
    stdout: "NoNewPrivs:\t1\n",
  },
  {
    name: "the default seccomp profile",
    script: `run --rm bb sh -c '
      grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp 2>/dev/null || echo refused'`,
    stdout: "Seccomp:\t2\nrefused\n",
  },
  {
    name: "volumes",
    script: `mkdir -p /run/vol; echo host > /run/vol/f
      run --rm -v /run/vol:/v bb sh -c 'cat /v/f; echo container > /v/f'; cat /run/vol/f
      run --rm -v /run/vol:/v:ro bb sh -c 'echo x > /v/f' 2>/dev/null || echo read-only
      run --rm -v named:/v bb touch /v/kept; run --rm -v named:/v bb ls /v; docker volume rm named >/dev/null`,
    stdout: "host\ncontainer\nread-only\nkept\n",
  },
  {
    name: "--init",
    script: "run --rm --init bb sh -c 'cat /proc/1/comm; echo $$'",
    stdout: /^docker-init\n[^1]/,
  },
  {
    name: "ulimit and sysctl",
    script:
      "run --rm --ulimit nofile=77:88 --sysctl kernel.msgmax=7777 bb sh -c 'ulimit -n; ulimit -Hn; cat /proc/sys/kernel/msgmax'",
    stdout: "77\n88\n7777\n",
  },
  {
    name: "a device",
    script:
      "run --rm --device /dev/null:/dev/nothing bb sh -c 'echo x > /dev/nothing; stat -c %F /dev/nothing'",
    stdout: "character special file\n",
  },
  {
    name: "another container's namespaces",
    script:
      `up owner --ipc shareable; run --rm --pid container:owner --ipc container:owner bb ps | grep -c 'sleep 1000'; down owner`,
    stdout: "1\n",
  },
  {
    name: "a cgroup namespace",
    script:
      "run --rm --cgroupns private bb grep -c ':/$' /proc/self/cgroup; grep -c . /proc/self/cgroup",
    stdout: /^(\d+)\n\1\n$/,
  },
  {
    name: "the host's process ids",
    script: "run --rm --pid host bb cat /proc/1/comm",
    stdout: "sh\n",
  },
  {
    name: "the host's network",
    script:
      `docker run --rm --network host bb readlink /proc/self/ns/net | grep -cF "$(readlink /proc/self/ns/net)"`,
    stdout: "1\n",
  },
  {
    name: "health check",
    script: `up health --health-cmd 'test -e /tmp/well' --health-interval 300ms --health-retries 1
      poll state health '{{.State.Health.Status}}' unhealthy && echo unhealthy; docker exec health touch /tmp/well
      poll state health '{{.State.Health.Status}}' healthy && echo healthy; down health`,
    stdout: "unhealthy\nhealthy\n",
  },
  {
    name: "restart policy",
    script: `run -d --name retry --restart on-failure:2 bb sh -c 'echo try; exit 1' >/dev/null
      poll sh -c '[ "$(docker logs retry | grep -c try)" = 3 ]'; poll state retry '{{.State.Status}}' exited; docker logs retry; down retry`,
    stdout: "try\ntry\ntry\n",
  },
  {
    name: "build",
    script:
      `mkdir -p /run/b1; printf 'FROM bb\\nRUN echo built > /made && id -u\\nCMD cat /made\\n' > /run/b1/Dockerfile
      DOCKER_BUILDKIT=0 docker build -q --network none -t built1 /run/b1 >/dev/null && run --rm built1
      printf 'FROM bb\\nRUN exit 3\\n' > /run/b1/Dockerfile
      DOCKER_BUILDKIT=0 docker build --force-rm --network none /run/b1 2>&1 | grep -o 'non-zero code: 3'; docker rmi -f built1 >/dev/null`,
    stdout: "built\nnon-zero code: 3\n",
  },
  {
    // The command line needs its buildx for that; the daemon does not.
    name: "build with BuildKit",
    script: `mkdir -p b2
      kit() {
        printf "FROM bb\\nRUN $1\\n" > b2/Dockerfile; tar -C b2 -cf b2.tar .
        curl -sS --unix-socket /run/docker.sock -H 'Content-Type: application/x-tar' --data-binary @b2.tar \
          "http://docker/build?version=2&networkmode=none&t=built2&buildid=$2"
      }
      kit 'echo built > /made' 1 >/dev/null; run --rm built2 cat /made
      kit 'exit 3' 2 | grep -m1 -o 'exit code: 3' | head -1; docker rmi -f built2 >/dev/null`,
    stdout: "built\nexit code: 3\n",
  },
  {
    name: "live restore",
    script:
      `up live; pid=$(cat /var/run/docker.pid); kill -9 $pid; while kill -0 $pid 2>/dev/null; do sleep 0.05; done
      rm -f /var/run/docker.pid; . /run/start; look live '{{.State.Status}}'; docker exec live echo still here
      docker stop -t 0 live >/dev/null; look live '{{.State.ExitCode}}'; down live`,
    stdout: "running\nstill here\n137\n",
  },
  {
    name: "nothing is left",
    script: "docker ps -aq; ls /run/docker/runtime-runc/moby",
    stdout: "",
  },
];

const LAST = CHECKS.length - 1; // that nothing is left

const ALL = [...CHECKS.slice(0, LAST), ...DOCKER_CHECKPOINT_CHECKS, ...CHECKS.slice(LAST)];

export const DOCKER_CHECKS: readonly Check[] = ALL.map((check) => ({
  ...check,
  script: SHORT + check.script,
}));
