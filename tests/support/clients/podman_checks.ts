/** What podman does with containers, as root and without. */

import { POLITE } from "./image.ts";
import { type Check, MAY_LOWER_SCORE } from "./suite.ts";

const LOOP = `sh -c '${POLITE}'`;

/**
 * podman loses the last output of a program that ends while it is read, so the program ends only once
 * its output has arrived.
 */
const HEARD = `
tty='tty; until [ -e /host/heard ]; do sleep 0.05; done'
heard() {
  rm -f $HOME/heard $HOME/out
  script -qec "$1" /dev/null > $HOME/out </dev/null &
  poll grep -q /dev/pts $HOME/out; touch $HOME/heard; wait $!; cat $HOME/out
}
`;

/** The name of a terminal and nothing else, but for the end of input that `script` sends and echoes. */
const TERMINAL = /^[\0^@D\b\s]*\/dev\/pts\/\d+[\0^@D\b\s]*$/;

export const BASIC_CHECKS: readonly Check[] = [
  { name: "run", script: "podman run --rm bb echo hello", stdout: "hello\n" },
  {
    name: "the runtime is the one of containers.conf",
    script: "podman info --format '{{.Host.OCIRuntime.Path}}'",
    stdout: "/usr/local/sbin/runts\n",
  },
  {
    name: "--runtime",
    script: `podman --runtime /usr/local/sbin/runts run --name other bb echo hello
      podman inspect --format '{{.OCIRuntime}}' other; podman rm other >/dev/null`,
    stdout: "hello\n/usr/local/sbin/runts\n",
  },
  { name: "exit code", script: "podman run --rm bb sh -c 'exit 7'", stdout: "", code: 7 },
  {
    name: "death by a signal",
    script:
      `podman run -d --name death bb sleep 1000 >/dev/null; podman kill -s KILL death >/dev/null
      podman wait death; podman rm death >/dev/null`,
    stdout: "137\n",
  },
  {
    name: "no such program",
    script: "podman run --rm bb nosuch 2>&1",
    stdout:
      /executable file .*nosuch.* not found in \$PATH|nosuch.*executable file not found in \$PATH/i,
    code: 127,
  },
  {
    name: "no such path",
    script: "podman run --rm bb /no/such 2>&1",
    stdout: /no such file or directory/i,
    code: 127,
  },
  {
    name: "a program that may not run",
    script: "podman run --rm bb /etc/passwd 2>&1",
    stdout: /permission denied/i,
    code: 126,
  },
  {
    name: "a program that is a directory",
    script: "podman run --rm bb /etc 2>&1",
    stdout: /permission denied|operation not permitted/i,
    code: 126,
  },
  {
    name: "an oom score that the host refuses",
    script: "podman run --rm --oom-score-adj -1000 bb true",
    stdout: "",
    code: MAY_LOWER_SCORE ? 0 : 126,
  },
  {
    name: "standard input",
    script: "dd if=/dev/zero bs=1000 count=300 2>/dev/null | podman run --rm -i bb wc -c",
    stdout: "300000\n",
  },
  {
    name: "output and errors apart",
    script: "podman run --rm bb sh -c 'echo out; echo err >&2' 2>/dev/null",
    stdout: "out\n",
  },
  {
    name: "a terminal",
    script: `${HEARD} heard "podman run --rm -it -v $HOME:/host bb sh -c '$tty'"`,
    stdout: TERMINAL,
  },
  {
    name: "detach, wait and logs",
    script: `podman run -d --name logs bb sh -c 'echo one; echo two >&2; exit 5' >/dev/null
      podman wait logs; podman logs logs 2>&1 | sort; podman rm logs >/dev/null`,
    stdout: "5\none\ntwo\n",
  },
  {
    name: "create, start, attach",
    script: `podman create --name att bb sh -c 'echo attached; exit 4' >/dev/null
      podman start --attach att; echo $?; podman rm att >/dev/null`,
    stdout: "attached\n4\n",
  },
  {
    name: "attach",
    script: `podman run -d -i --name att bb sh -c 'read line; echo got $line; exit 6' >/dev/null
      echo text | podman attach att; podman wait att; podman rm att >/dev/null`,
    stdout: /^got text\n+6\n$/,
  },
  {
    name: "init before start",
    script: `podman create --name init bb echo started >/dev/null; podman init init >/dev/null
      podman inspect --format '{{.State.Status}}' init; podman start -a init; podman rm init >/dev/null`,
    stdout: /^(initialized|created)\nstarted\n$/,
  },
  {
    name: "restart of a running container",
    script:
      `podman run -d --name again bb sleep 1000 >/dev/null; podman restart -t 0 again >/dev/null
      podman exec again echo goes on; podman rm -f -t 0 again >/dev/null`,
    stdout: "goes on\n",
  },
  {
    name: "restart of a stopped container",
    script: `podman run --name again bb echo x; podman start -a again; podman rm again >/dev/null`,
    stdout: "x\nx\n",
  },
  {
    name: "exec",
    script: `podman run -d --name ex bb ${LOOP} >/dev/null
      podman exec ex sh -c 'echo in; exit 3'; echo $?
      podman exec -e A=b -w /tmp -u app ex sh -c 'echo $A $(pwd) $(id -u)'
      echo text | podman exec -i ex cat
      podman exec ex nosuch 2>/dev/null; echo $?
      podman rm -f -t 0 ex >/dev/null`,
    stdout: "in\n3\nb /tmp 1000\ntext\n127\n",
  },
  {
    name: "exec with a terminal",
    script: `${HEARD} podman run -d --name ext -v $HOME:/host bb ${LOOP} >/dev/null
      heard "podman exec -it ext sh -c '$tty'"
      podman rm -f -t 0 ext >/dev/null`,
    stdout: TERMINAL,
  },
  {
    name: "exec detached",
    script: `podman run -d --name exd bb ${LOOP} >/dev/null
      podman exec -d exd touch /tmp/made >/dev/null; poll podman exec exd ls /tmp/made && echo made
      podman rm -f -t 0 exd >/dev/null`,
    stdout: "made\n",
  },
  {
    name: "stop",
    script: `podman run -d --name stop bb ${LOOP} >/dev/null
      poll sh -c 'podman logs stop | grep up'; podman stop -t 10 stop >/dev/null; podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' stop
      podman rm stop >/dev/null`,
    stdout: "exited 7\n",
  },
  {
    name: "stop of a program that does not listen",
    script: `podman run -d --name deaf bb sleep 100 >/dev/null
      podman stop -t 1 deaf >/dev/null 2>&1; podman inspect --format '{{.State.ExitCode}}' deaf; podman rm deaf >/dev/null`,
    stdout: "137\n",
  },
  {
    name: "kill by name",
    script:
      `podman run -d --name kill bb sh -c 'trap "exit 9" USR1; echo up; sleep 1000 & wait' >/dev/null
      poll sh -c 'podman logs kill | grep up'
      podman kill -s USR1 kill >/dev/null; podman wait kill; podman rm kill >/dev/null`,
    stdout: /9\n$/,
  },
  {
    name: "top",
    script: `podman run -d --name top bb sleep 98 >/dev/null; podman top top pid args | tail -1
      podman rm -f -t 0 top >/dev/null`,
    stdout: /^1 +sleep 98/,
  },
  {
    name: "inspect",
    script: `podman run -d --name insp --label a=b bb sleep 98 >/dev/null
      podman inspect --format '{{.State.Status}} {{.OCIRuntime}} {{.Config.Labels.a}}' insp
      test -d /proc/$(podman inspect --format '{{.State.Pid}}' insp) && echo alive
      podman rm -f -t 0 insp >/dev/null`,
    stdout: "running runts b\nalive\n",
  },
  {
    name: "read-only root",
    script:
      "podman run --rm --read-only bb sh -c 'touch /x 2>/dev/null || touch /tmp/x && echo only tmp'",
    stdout: "only tmp\n",
  },
  {
    name: "user and groups",
    script: "podman run --rm --user app bb id; podman run --rm --user 5:6 bb id",
    stdout: /^uid=1000\(app\) gid=1000\(app\) groups=1000\(app\),2000\(extra\)\nuid=5.* gid=6/,
  },
  {
    name: "capabilities",
    script: `podman run --rm --cap-drop all bb grep CapEff /proc/self/status
      podman run --rm --cap-drop all --cap-add NET_BIND_SERVICE bb grep -E 'Cap(Eff|Bnd)' /proc/self/status`,
    stdout: "CapEff:\t0000000000000000\nCapEff:\t0000000000000400\nCapBnd:\t0000000000000400\n",
  },
  {
    name: "no new privileges",
    script: "podman run --rm --security-opt no-new-privileges bb grep NoNewPrivs /proc/self/status",
    stdout: "NoNewPrivs:\t1\n",
  },
  {
    name: "the default seccomp profile",
    script:
      "podman run --rm bb grep Seccomp: /proc/self/status; podman run --rm bb mount -t tmpfs x /tmp 2>&1",
    stdout: /^Seccomp:\t2\n.*(permission denied|Operation not permitted)/,
    code: 1,
  },
  {
    name: "without seccomp",
    script: "podman run --rm --security-opt seccomp=unconfined bb grep Seccomp: /proc/self/status",
    stdout: "Seccomp:\t0\n",
  },
  {
    name: "volumes",
    script: `mkdir -p $HOME/vol; echo host > $HOME/vol/f
      podman run --rm -v $HOME/vol:/v bb sh -c 'cat /v/f; echo container > /v/f'; cat $HOME/vol/f
      podman run --rm -v $HOME/vol:/v:ro bb sh -c 'echo x > /v/f' 2>/dev/null || echo read-only
      podman run --rm -v named:/v bb touch /v/kept; podman run --rm -v named:/v bb ls /v
      podman volume rm named >/dev/null`,
    stdout: "host\ncontainer\nread-only\nkept\n",
  },
  {
    name: "tmpfs and shm",
    script:
      `podman run --rm --tmpfs /t:size=64k --shm-size 128k bb sh -c 'grep -E " /(t|dev/shm) " /proc/mounts' | grep -c -E 'size=(64|128)k'`,
    stdout: "2\n",
  },
  {
    name: "environment, work directory, host name",
    script: "podman run --rm -e A=b -w /tmp --hostname box bb sh -c 'echo $A $(pwd) $(hostname)'",
    stdout: "b /tmp box\n",
  },
  {
    name: "--init",
    script: "podman run --rm --init bb sh -c 'cat /proc/1/comm; echo $$'",
    stdout: /^(catatonit|podman-init)\n[^1]/,
  },
  {
    name: "ulimit",
    script:
      `podman run --rm --ulimit nofile=77:88 --ulimit nproc=99:99 bb sh -c 'ulimit -n; ulimit -Hn; grep processes /proc/self/limits'`,
    stdout: /^77\n88\nMax processes +99 +99 /,
  },
  {
    name: "sysctl",
    script: "podman run --rm --sysctl kernel.msgmax=7777 bb cat /proc/sys/kernel/msgmax",
    stdout: "7777\n",
  },
  {
    name: "descriptors passed on",
    script:
      "podman run --rm --preserve-fds 1 bb cat /proc/self/fd/3 3</etc/hostname | cmp - /etc/hostname && echo same",
    stdout: "same\n",
  },
  {
    // conmon ignores SIGPIPE (13). Signal 32 is the threads library's and may be ignored by us.
    name: "an empty signal mask and SIGPIPE as usual",
    script: "podman run --rm bb grep -E 'SigIgn|SigBlk' /proc/self/status",
    stdout: /^SigBlk:\t0{16}\nSigIgn:\t0{8}[08]0{7}\n$/,
  },
  {
    name: "no stray descriptors",
    script: "podman run --rm bb sh -c 'ls /proc/self/fd | wc -l'",
    stdout: "4\n",
  },
  {
    name: "masked and read-only paths",
    script:
      "podman run --rm bb sh -c 'wc -c < /proc/timer_list; echo x > /proc/sys/kernel/msgmax' 2>&1",
    stdout: /^0\n.*Read-only file system/,
    code: 1,
  },
  {
    name: "a pod shares namespaces",
    script:
      `podman pod create --name pod --share ipc,uts,net --hostname podhost --infra-image bb --infra-command 'sleep 1000' >/dev/null
      podman run -d --pod pod --name a bb sleep 1000 >/dev/null
      podman run --rm --pod pod bb hostname
      [ "$(podman exec a readlink /proc/1/ns/ipc)" = "$(podman run --rm --pod pod bb readlink /proc/self/ns/ipc)" ] && echo shared
      podman pod stop -t 0 pod >/dev/null; podman pod rm -f pod >/dev/null; podman pod ls -q`,
    stdout: "podhost\nshared\n",
  },
  {
    name: "a pod shares process ids",
    script:
      `podman pod create --name pids --share pid --infra-image bb --infra-command 'sleep 98765' >/dev/null
      podman run --rm --pod pids bb ps | grep -c 'sleep 98765'
      podman pod rm -f -t 0 pids >/dev/null; podman pod ls -q`,
    stdout: "1\n",
  },
  {
    name: "build",
    script:
      `mkdir -p $HOME/b; printf 'FROM localhost/bb\\nRUN echo built > /made && id -u\\n' > $HOME/b/Containerfile
      podman build -q --isolation oci --network none -t built $HOME/b >/dev/null && podman run --rm built cat /made; podman rmi built >/dev/null`,
    stdout: "built\n",
  },
  {
    name: "another container's namespaces",
    script: `podman run -d --name owner bb sleep 97 >/dev/null
      podman run --rm --pid container:owner --ipc container:owner bb ps | grep -c 'sleep 97'
      podman rm -f -t 0 owner >/dev/null`,
    stdout: "1\n",
  },
  {
    name: "health check",
    script:
      `podman run -d --name health --health-cmd 'test -e /tmp/well' --health-retries 1 --health-interval disable bb sleep 1000 >/dev/null
      podman healthcheck run health; echo $?; podman exec health touch /tmp/well
      podman healthcheck run health; echo $?; podman rm -f -t 0 health >/dev/null`,
    stdout: /1\n0\n$/,
  },
  {
    name: "restart policy",
    script:
      `podman run -d --name retry --restart on-failure:2 bb sh -c 'echo try; exit 1' >/dev/null
      poll sh -c '[ "$(podman logs retry | grep -c try)" = 3 ]'; podman logs retry | grep -c try
      podman rm -f -t 0 retry >/dev/null`,
    stdout: "3\n",
  },
];
