/** What containerd and ctr expect of a shim, beside what containers do. */

import type { Check } from "./suite.ts";

/** `bundle ID`, `monitor`, of the one shim that runs; `brain`: pid of what all shims ask. */
const SHIM = `
bundle() { echo /run/containerd/io.containerd.runtime.v2.task/$CONTAINERD_NAMESPACE/$1; }
pid() { ctr task ls | awk -v id=$1 '$1 == id { print $2 }'; }
parent() { awk '{ print $4 }' /proc/$(pid $1)/stat; }
brain() { pgrep -f 'shim serv[e]'; }
gone() { ! kill -0 $1 2>/dev/null; }
`;

const CHECKS: readonly Check[] = [
  {
    name: "the address file, and the socket in it, which go with the task",
    script: `up a; socket=$(sed 's,^unix://,,' $(bundle a)/address); stat -c %a,%F $socket
      down a; test -e $socket || echo gone`,
    stdout: "600,socket\ngone\n",
  },
  {
    name: "a process group, a session and an oom score of its own",
    script:
      `up g; shim=$(parent g); [ $(awk '{ print $5 }' /proc/$shim/stat) = $shim ] && echo leads
      echo $(($(cat /proc/$shim/oom_score_adj) - $(cat /proc/$(cat /run/containerd.pid)/oom_score_adj)))
      down g`,
    stdout: "leads\n1\n",
  },
  {
    name: "ctr shim",
    script: `up s; ctr shim --id s state | grep -o '"id": *"s"'; down s`,
    stdout: /^"id": *"s"\n$/,
  },
  {
    name: "containers of a group share a shim",
    script: `for id in g1 g2; do up $id --annotation io.containerd.runc.v2.group=pod; done
      [ $(parent g1) = $(parent g2) ] && echo same; down g1; status g2; down g2`,
    stdout: "same\nRUNNING\n",
  },
  {
    name: "events of an exec, and of one that ends with its container",
    script: `events /run/ex; up ex; ctr task exec --exec-id short ex true
      { ctr task exec --exec-id long ex sleep 1000 & } ; poll sh -c 'ctr task ps ex | grep -q long'
      ctr task kill -s KILL ex; poll stopped ex; down ex; poll grep -q '/tasks/delete.*ex' /run/ex; kill $listener
      grep -oE '/tasks/[a-z-]+' /run/ex | tr '\\n' ' '`,
    stdout: "/tasks/create /tasks/start /tasks/exec-added /tasks/exec-started /tasks/exit " +
      "/tasks/exec-added /tasks/exec-started /tasks/exit /tasks/exit /tasks/delete ",
  },
  {
    name: "an exit while containerd is down",
    script:
      `mkdir -p sl; run -d --mount type=bind,src=/run/sl,dst=/tmp,options=rbind $image late sh -c '
        trap "exit 5" TERM; touch /tmp/up; sleep 1000 & wait'
      poll test -e sl/up; pid=$(pid late); kill -9 $(cat /run/containerd.pid); kill -TERM $pid; poll gone $pid
      . /run/start; poll stopped late; ctr task rm late 2>&1 | tail -1; ctr container rm late`,
    stdout: /code 5"\n$/,
  },
  {
    name: "the shim is killed",
    script: `up k; pid=$(pid k); kill -9 $(parent k)
      poll sh -c '! ctr task ls | grep -q "^k "'; poll gone $pid && echo ended
      ctr container rm k; [ $RUNTIME = runts ] && poll sh -c 'test -z "$(ls /run/containerd/s)"'; ls /run/containerd/s`,
    stdout: "ended\n",
  },
  {
    name: "the host's process ids: what init leaves behind ends with it",
    script:
      `run -d --with-ns pid:/proc/1/ns/pid $image h sh -c "sleep $((4320 + 1)) & exec sleep 1000"
      ctr task kill -s KILL h; poll stopped h; down h; pgrep -f 'sleep 432[1]' || echo none`,
    stdout: "none\n",
  },
  {
    name: "a start that fails leaves nothing",
    script: `run -d $image bad nosuch 2>/dev/null; ctr task ls -q; ctr container rm bad 2>/dev/null
      ls /run/containerd/s; grep -c $(bundle bad) /proc/self/mountinfo`,
    stdout: "0\n",
    code: 1,
  },
  {
    name: "20 MB of output",
    script: "run --rm $image out head -c 20000000 /dev/zero < /dev/null | wc -c",
    stdout: "20000000\n",
  },
  {
    name: "what a grandchild of an exec writes later",
    script:
      `up gc; heard ctr task exec --exec-id gc gc sh -c '(sleep 0.5; echo late) & echo now; sleep 0.2'; down gc`,
    stdout: /now\nlate\n$/,
  },
  {
    name: "output to a file",
    script:
      `run -d --log-uri file:///run/logs/f.log $image f sh -c 'echo out; echo err >&2'; poll stopped f
      down f; sort /run/logs/f.log`,
    stdout: "err\nout\n",
  },
  {
    name: "output to a program",
    script: `cat > logger <<'END'
#!/bin/sh
echo "$CONTAINER_ID $CONTAINER_NAMESPACE $*" > /run/logger.env
exec 5>&-
cat <&3 > /run/logger.out
END
      chmod +x logger; run -d --log-uri 'binary:///run/logger?key=value' $image b sh -c 'echo words'; poll stopped b
      down b; cat logger.env logger.out`,
    stdout: /^b runts-clients-\w+ key value\nwords\n$/,
  },
  {
    name: "an id of an exec that is taken",
    script:
      `up tw; { ctr task exec --exec-id same tw sleep 1000 & }; poll sh -c 'ctr task ps tw | grep -q same'
      ctr task exec --exec-id same tw true 2>&1 | grep -o 'already exists'; down tw`,
    stdout: "already exists\n",
  },
  {
    name: "without pivot_root",
    script: "run --rm --no-pivot $image np true; echo $?",
    stdout: "0\n",
  },
  {
    name: "no OCI runtime is called",
    script:
      `[ $RUNTIME = runts ] || exit 0; mv /usr/local/sbin/runts away; run --rm $image no true; echo $?
      mv away /usr/local/sbin/runts`,
    stdout: /^(0\n)?$/,
  },
];

/** For runts alone: its brain. */
const OWN: readonly Check[] = [
  {
    name: "one brain serves all shims",
    script: `[ $RUNTIME = runts ] || exit 0; up b1; up b2; brain | wc -l; down b1; down b2`,
    stdout: /^(1\n)?$/,
  },
  {
    name: "of containers that a pod has had little is kept",
    script: `[ $RUNTIME = runts ] || exit 0; up pod --annotation io.containerd.runc.v2.group=old
      for n in $(seq 14); do run --rm --annotation io.containerd.runc.v2.group=old $image old$n true; done
      kept() { [ $(ls /run/runts/.brain/shims/*/*.task | wc -l) -le 9 ]; }; poll kept; down pod
      ls /run/runts/.brain/shims`,
    stdout: "",
  },
  {
    name: "the brain is killed: nothing is lost",
    script: `[ $RUNTIME = runts ] || exit 0
      run -d $image bk sh -c 'while ! test -e /tmp/go; do sleep 0.05; done; exit 6'
      { ctr task exec --exec-id w bk sh -c 'while ! test -e /tmp/go1; do sleep 0.05; done; exit 3'; echo exec $? > bk; } &
      exec=$!; poll sh -c 'ctr task ps bk | grep -q w'
      kill -9 $(brain); status bk; kill -9 $(brain); touch /proc/$(pid bk)/root/tmp/go1; wait $exec; cat bk
      kill -9 $(brain); touch /proc/$(pid bk)/root/tmp/go
      poll stopped bk; ctr task rm bk 2>&1 | grep -o 'code 6'; ctr container rm bk`,
    stdout: /^(RUNNING\nexec 3\ncode 6\n)?$/,
  },
];

/** `caller N`: containers and processes, one after the other; what is wrong goes into `wrong`. */
const CALLERS = `
caller() {
  for n in 1 2 3; do
    run --rm $image c$1-$n sh -c 'exit 7' 2>> said; code=$?; [ $code = 7 ] || echo "run $1-$n: $code" >> wrong
    ctr task exec --exec-id e$1-$n all sh -c 'exit 3' 2>> said; code=$?; [ $code = 3 ] || echo "exec $1-$n: $code" >> wrong
  done
}
callers() { pids=; for c in 1 2 3 4; do caller $c & pids="$pids $!"; done; wait $pids; }
exits() { grep -o '/tasks/exit.*' /run/many | grep -oE '"id":"[ce][0-9]-[0-9]"' | sort -u | wc -l; }
all_told() { [ $(exits) = 24 ]; }
left() { ls /run/containerd/s; ls $(dirname $(bundle x)); ctr task ls -q; ctr container ls -q; grep -c $(bundle '') /proc/self/mountinfo; }
`;

const MANY: readonly Check[] = [
  {
    name: "many at a time",
    script: `${CALLERS}events /run/many; up all; callers; poll all_told; kill $listener; down all
      cat wrong said 2>/dev/null; left`,
    stdout: "0\n",
    code: 1,
  },
  {
    name: "many at a time, and the brain is killed again and again",
    script: `[ $RUNTIME = runts ] || { echo 0; exit 1; }; ${CALLERS}events /run/many; up all
      touch going; { while test -e going; do sleep 1; kill -9 $(brain); echo >> kills; done; } 2>/dev/null & killer=$!
      callers; rm going; wait $killer; test -s kills || echo in vain; poll all_told; kill $listener; down all
      poll sh -c 'test -z "$(ls /run/containerd/s)"'; poll sh -c '! pgrep runts-monitor'; pgrep runts-monitor
      cat wrong said 2>/dev/null; left`,
    stdout: "0\n",
    code: 1,
  },
];

export const SHIM_CHECKS: readonly Check[] = [...CHECKS, ...OWN, ...MANY].map((check) => ({
  ...check,
  script: SHIM + check.script,
}));
