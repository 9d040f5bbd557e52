/** What containerd's runc shim does with containers. */

import { CTR_CHECKPOINT_CHECKS, CTR_IMAGE_CHECKS } from "./checkpoint_checks.ts";
import { GREEDY } from "./image.ts";
import type { Check } from "./suite.ts";

/**
 * ctr loses the output of a program that ends before ctr reads from the pipe (with any runtime, once in
 * a hundred runs), so `say ID SCRIPT OPTION…` and `tell ID SCRIPT` (run and exec) hold the program's
 * shell at the end of its script until the output has begun to arrive. `events FILE` returns once
 * ctr has begun to listen.
 */
const SHORT = `
export CONTAINERD_NAMESPACE=runts-clients-$RUNTIME
image=localhost/bb:latest
run() { ctr run $BY "$@"; }
held() { printf '%s\\n%s' "$1" 'code=$?; cat > /dev/null; exit $code'; }
heard() { : > out; poll test -s out | "$@" > out; code=$?; cat out; return $code; }
say() { id=$1; script=$(held "$2"); shift 2; heard run --rm "$@" $image $id sh -c "$script"; }
tell() { n=$((n + 1)); id=$1; script=$(held "$2"); shift 2; heard ctr task exec --exec-id $n "$@" $id sh -c "$script"; }
up() { id=$1; shift; run -d "$@" $image $id sleep 1000; }
down() { ctr task rm -f "$1" >/dev/null 2>&1; ctr container rm "$1"; }
status() { ctr task ls | awk -v id="$1" '$1 == id { print $3 }'; }
listens() { ctr namespace label $CONTAINERD_NAMESPACE at=$(date +%N); test -s $1; }
events() { ctr events > $1 & listener=$!; poll listens $1; }
stopped() { [ "$(status $1)" = STOPPED ]; }
`;

const CHECKS: readonly Check[] = [
  { name: "run", script: "say r 'echo hello'", stdout: "hello\n" },
  { name: "exit code", script: "run --rm $image c sh -c 'exit 7'", stdout: "", code: 7 },
  {
    name: "no such program",
    script: "run --rm $image n nosuch 2>&1",
    stdout: /executable file .*not found in \$PATH/,
    code: 1,
  },
  {
    name: "standard input",
    script: "dd if=/dev/zero bs=1000 count=300 2>/dev/null | run --rm $image i wc -c",
    stdout: "300000\n",
  },
  {
    name: "a terminal",
    script: `script -qec 'ctr run -t --rm $BY '$image' t tty' /dev/null </dev/null`,
    stdout: /\/dev\/pts\/0\s/,
  },
  {
    name: "detach, list, kill and delete",
    script:
      `mkdir -p sign; run -d --mount type=bind,src=/run/sign,dst=/tmp,options=rbind $image d sh -c '
        trap "exit 9" TERM; touch /tmp/up; sleep 1000 & wait'
      status d; poll test -e sign/up; ctr task kill -s TERM d; poll stopped d; status d
      ctr task rm d 2>&1 | tail -1; ctr container rm d`,
    stdout: /^RUNNING\nSTOPPED\n.*9/,
  },
  {
    name: "task rm -f",
    script:
      "up f; ctr task rm -f f 2>/dev/null; ctr container rm f; ctr task ls -q; ls /run/containerd/run*s/runts-clients-$RUNTIME /run/containerd/runc/runts-clients-$RUNTIME 2>/dev/null | sed '/:$/d;/^$/d'",
    stdout: "",
  },
  {
    name: "exec",
    script: `up e
      tell e 'echo in; (exit 3)'; echo $?
      tell e pwd --cwd /tmp
      ctr task exec --exec-id none e nosuch 2>&1 | grep -c 'executable file.*not found'
      down e`,
    stdout: "in\n3\n/tmp\n1\n",
  },
  {
    name: "exec with a terminal",
    script:
      `up et; script -qec 'ctr task exec -t --exec-id 1 et tty' /dev/null </dev/null; down et`,
    stdout: /\/dev\/pts\/\d\s/,
  },
  {
    name: "kill of a process that exec started",
    script: `up ke; { ctr task exec --exec-id long ke sleep 98761; echo $? > code; } &
      poll sh -c 'ctr task ps ke | grep -q long'; ctr task kill -s KILL --exec-id long ke; wait $!; cat code
      status ke; down ke`,
    stdout: "137\nRUNNING\n",
  },
  {
    name: "attach",
    script:
      `run -d --null-io $image at sleep 1000; ctr task kill -s KILL at; ctr task attach at; echo $?; down at`,
    stdout: "137\n",
  },
  {
    name: "pause and resume",
    script: `up p; ctr task pause p; status p; ctr task resume p; status p
      tell p 'echo goes on'; down p`,
    stdout: "PAUSED\nRUNNING\ngoes on\n",
  },
  {
    name: "metrics",
    script: `up m --memory-limit 67108864; ctr task metrics m > /run/m; down m
      grep -cE '^(memory.usage_in_bytes +[1-9][0-9]*|memory.limit_in_bytes +67108864|pids.current +1) *$' /run/m`,
    stdout: "3\n",
  },
  {
    name: "processes",
    script: `up ps; ctr task ps ps | tail -n +2 | wc -l; down ps`,
    stdout: "1\n",
  },
  {
    name: "events",
    script: `events /run/events; run --rm $image ev true
      poll grep -q '/tasks/delete.*ev' /run/events; kill $listener
      grep -oE '/tasks/(create|start|exit|delete)' /run/events | head -4`,
    stdout: "/tasks/create\n/tasks/start\n/tasks/exit\n/tasks/delete\n",
  },
  {
    name: "a container that uses up its memory",
    script: `events /run/oom; run -d --memory-limit 16777216 $image oom sh -c '${GREEDY}'
      ctr task exec --exec-id go oom touch /tmp/go; poll grep -q '/tasks/oom' /run/oom && echo told; kill $listener
      poll stopped oom; ctr task rm oom 2>&1 | grep -o 137; ctr container rm oom`,
    stdout: "told\n137\n",
  },
  {
    name: "limits",
    script: `say l "cd /sys/fs/cgroup
        cat memory/$CONTAINERD_NAMESPACE/l/memory.limit_in_bytes cpu/$CONTAINERD_NAMESPACE/l/cpu.cfs_quota_us" \\
        --memory-limit 67108864 --cpus 0.5 \\
        --mount type=bind,src=/sys/fs/cgroup,dst=/sys/fs/cgroup,options=rbind:ro`,
    stdout: "67108864\n50000\n",
  },
  {
    name: "environment and directory",
    script: "say u 'echo $A $(pwd)' --env A=b --cwd /tmp",
    stdout: "b /tmp\n",
  },
  {
    name: "capabilities",
    script: "say cap 'grep CapEff /proc/self/status' --cap-drop CAP_CHOWN --cap-add CAP_SYS_TIME",
    stdout: "CapEff:\t00000000aa0425fa\n",
  },
  {
    name: "the default seccomp profile",
    script: `say s '
      grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp 2>/dev/null || echo refused' --seccomp`,
    stdout: "Seccomp:\t2\nrefused\n",
  },
  {
    name: "a mount, and a read-only root",
    script: `mkdir -p vol; echo host > vol/f
      say v 'cat /tmp/f; echo new > /tmp/f; touch /x 2>/dev/null || echo read-only' \\
        --read-only --mount type=bind,src=/run/vol,dst=/tmp,options=rbind:rw
      cat vol/f`,
    stdout: "host\nread-only\nnew\n",
  },
  {
    name: "a namespace by its path",
    script: `up ns; ipc=/proc/$(ctr task ls | awk '$1 == "ns" { print $2 }')/ns/ipc
      [ "$(say ns2 'readlink /proc/self/ns/ipc' --with-ns ipc:$ipc)" = "$(readlink $ipc)" ] && echo same
      down ns`,
    stdout: "same\n",
  },
  {
    name: "containerd restarts while a container runs",
    script:
      `up live; kill $(cat /run/containerd.pid); while kill -0 $(cat /run/containerd.pid) 2>/dev/null; do sleep 0.05; done
      . /run/start; status live; tell live 'echo still here'
      ctr task kill -s KILL live; poll stopped live; ctr task rm live >/dev/null 2>&1; ctr container rm live; ctr task ls -q`,
    stdout: "RUNNING\nstill here\n",
  },
  {
    name: "containerd is killed while a container runs",
    script:
      `up hard; kill -9 $(cat /run/containerd.pid); while kill -0 $(cat /run/containerd.pid) 2>/dev/null; do sleep 0.05; done
      . /run/start; status hard; down hard; ctr task ls -q`,
    stdout: "RUNNING\n",
  },
  {
    name: "the handler of the RuntimeClass is a runtime of containerd",
    script: `handler=$(sed -n 's/^handler: //p' /run/runtimeclass.yaml)
      containerd config dump | grep -A5 "runtimes.$handler.options" | grep -o '"/usr/local/sbin/runts"'`,
    stdout: '"/usr/local/sbin/runts"\n',
  },
  {
    name: "nothing is left",
    script:
      "ls /run/containerd/run*s/runts-clients-$RUNTIME /run/containerd/runc/runts-clients-$RUNTIME 2>/dev/null | sed '/:$/d;/^$/d'; ls /run/containerd/io.containerd.runtime.v2.task/runts-clients-$RUNTIME",
    stdout: "",
  },
];

/** What chooses the runtime, for ctr: its shim is runc's, or has that name. */
const BY_NAME = "export BY='--runc-binary /usr/local/sbin/runts'";
/** For runts its own shim. */
const BY_SHIM = `export BY='--runtime io.containerd.runts.v2'; [ $RUNTIME = runts ] || ${BY_NAME}`;

function checksBy(by: string, checks: readonly Check[]): readonly Check[] {
  return checks.map((check) => ({ ...check, script: `${by}${SHORT}${check.script}` }));
}

export const CONTAINERD_CHECKS: readonly Check[] = checksBy(BY_NAME, withFurther(CTR_IMAGE_CHECKS));

/** The same, and further ones, with runts as a shim under its own name. */
export function shimChecks(further: readonly Check[]): readonly Check[] {
  return checksBy(BY_SHIM, withFurther(further));
}

function withFurther(further: readonly Check[]): readonly Check[] {
  const last = CHECKS.length - 1; // that nothing is left
  return [...CHECKS.slice(0, last), ...CTR_CHECKPOINT_CHECKS, ...further, ...CHECKS.slice(last)];
}
