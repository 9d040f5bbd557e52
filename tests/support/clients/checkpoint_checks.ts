/** What clients make of checkpoints. The criu of the sandbox must know this kernel. */

import { CRIU_WORKS } from "../criu.ts";
import { exists } from "../look.ts";
import type { Check } from "./suite.ts";

/** Keeps a word in its memory until /tmp/go is there, and then tells it; before, that it waits. */
const KEEPER = "word=kept; touch /tmp/waits; while [ ! -e /tmp/go ]; do sleep 0.1; done; " +
  "echo $word > /tmp/new; ln /tmp/new /tmp/said; exec sleep 1000";

/** Checks that need a criu that works. */
function withCriu(prelude: string, checks: readonly Check[]): Check[] {
  return checks.map((check) => ({
    ...check,
    script: `${prelude}${check.script}`,
    ignore: !CRIU_WORKS,
    // An image of runc has all cgroups of this hierarchy, and its restore makes them again, those of others too.
    isAlone: exists("/sys/fs/cgroup/unified"),
  }));
}

/** `up NAME`, `kept NAME`: what it has kept, and that it runs. */
const PODMAN = `
up() { name=$1; shift; podman run -d --name $name "$@" bb sh -c '${KEEPER}' >/dev/null
  poll podman exec $name ls /tmp/waits; }
kept() { podman exec $1 touch /tmp/go; poll podman exec $1 ls /tmp/said; podman exec $1 cat /tmp/said; }
status() { podman inspect --format '{{.State.Status}} {{.State.Checkpointed}}' $1; }
down() { podman rm -f -t 0 "$@" >/dev/null; }
`;

export const PODMAN_CHECKPOINT_CHECKS = withCriu(PODMAN, [
  {
    name: "checkpoint and restore",
    script: `up c; podman container checkpoint c >/dev/null; status c
      podman container restore c >/dev/null; status c; kept c; down c`,
    stdout: "exited true\nrunning false\nkept\n",
  },
  {
    name: "checkpoint --leave-running",
    script: `up l; podman container checkpoint --leave-running l >/dev/null; kept l; down l`,
    stdout: "kept\n",
  },
  {
    name: "checkpoint --export, and restore --import under another name",
    script: `up e; podman container checkpoint --export /run/e.tar.gz e >/dev/null; down e
      podman container restore --import /run/e.tar.gz --name i >/dev/null; status i; kept i
      podman logs i; down i; rm e.tar.gz`,
    stdout: "running false\nkept\n",
  },
  {
    name: "a limit and a volume of a restored container",
    script: `mkdir -p vol; echo host > vol/f; up v --memory 64m -v /run/vol:/vol
      podman container checkpoint v >/dev/null; podman container restore v >/dev/null
      podman exec v cat /vol/f /sys/fs/cgroup/memory/memory.limit_in_bytes; kept v; down v`,
    stdout: "host\n67108864\nkept\n",
  },
]);

/** The client of containerd; `run` and `up` are those of its other checks. */
const CTR = `
keeper() { id=$1; mkdir -p k$id; run -d --mount type=bind,src=/run/k$id,dst=/tmp,options=rbind $image $id sh -c '${KEEPER}'
  poll test -e k$id/waits; }
kept() { touch k$1/go; poll test -s k$1/said; cat k$1/said; }
running() { [ "$(status $1)" = RUNNING ]; }
`;

/** Their scripts begin with what the others have. */
export const CTR_CHECKPOINT_CHECKS = withCriu(CTR, [{
  name: "containers checkpoint, and restore",
  script: `keeper cr; ctr container checkpoint --task --image cr localhost/cr:latest >/dev/null
      ctr task kill -s KILL cr; poll stopped cr; ctr task rm cr >/dev/null 2>&1; ctr container rm cr
      ctr container restore --live cr localhost/cr:latest >/dev/null; poll running cr; kept cr
      down cr; ctr image rm localhost/cr:latest >/dev/null`,
  stdout: "kept\n",
}]);

/** Options that containerd hands on to a runtime that is called io.containerd.runc alone. */
export const CTR_IMAGE_CHECKS = withCriu(CTR, [
  {
    name: "task checkpoint",
    script:
      `keeper tc; ctr task checkpoint --image-path /run/img --work-path /run/work tc >/dev/null
      status tc; test -e img/inventory.img && echo image; test -e work/dump.log && echo log
      kept tc; down tc; rm -r img work`,
    stdout: "RUNNING\nimage\nlog\nkept\n",
  },
  {
    name: "task checkpoint --exit",
    script: `keeper te; ctr task checkpoint --exit --image-path /run/img te >/dev/null 2>&1
      poll stopped te; status te; test -e img/inventory.img && echo image; down te; rm -r img`,
    stdout: "STOPPED\nimage\n",
  },
]);

const DOCKER = `
keeper() { mkdir -p k$1; run -d --name $1 -v /run/k$1:/tmp bb sh -c '${KEEPER}' >/dev/null; poll test -e k$1/waits; }
kept() { touch k$1/go; poll test -s k$1/said; cat k$1/said; }
`;

export const DOCKER_CHECKPOINT_CHECKS = withCriu(DOCKER, [
  {
    name: "checkpoint create, and start --checkpoint",
    script:
      `keeper cc; docker checkpoint create cc one; docker checkpoint ls cc | tail -1 | tr -d ' '
      state cc '{{.State.Status}}' exited && echo exited; docker start --checkpoint one cc 2>&1; kept cc; down cc`,
    stdout: "one\none\nexited\nkept\n",
  },
  {
    name: "checkpoint create --leave-running",
    script:
      `keeper ll; docker checkpoint create --leave-running ll one; kept ll; docker checkpoint rm ll one; down ll`,
    stdout: "one\nkept\n",
  },
]);
