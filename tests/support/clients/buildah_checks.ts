/** What buildah does with a runtime: the steps of a build. */

import { PROFILE } from "./buildah.ts";
import type { Check } from "./suite.ts";

/** `step OPTION… $c PROGRAM…` runs in the working container `c`. */
const SHORT = `
. ${PROFILE}
open() { c=$(buildah from localhost/bb); }
step() { buildah run "$@"; }
bud() { buildah bud -q -t "$1" "$2"; }
`;

const CHECKS: readonly Check[] = [
  { name: "run", script: "open; step $c echo hello; buildah rm $c >/dev/null", stdout: "hello\n" },
  {
    name: "the container keeps what a step wrote",
    script: "open; step $c sh -c 'echo kept > /f'; step $c cat /f; buildah rm $c >/dev/null",
    stdout: "kept\n",
  },
  {
    name: "exit code",
    script: "open; step $c sh -c 'exit 7' 2>/dev/null; echo $?; buildah rm $c >/dev/null",
    stdout: "7\n",
  },
  {
    name: "no such program",
    script: "open; step $c nosuch 2>&1; buildah rm $c >/dev/null",
    stdout: /from \/usr\/local\/sbin\/runts[^]*nosuch.* not found/,
  },
  {
    name: "standard input",
    script:
      "open; dd if=/dev/zero bs=1000 count=300 2>/dev/null | step $c wc -c; buildah rm $c >/dev/null",
    stdout: "300000\n",
  },
  {
    name: "a terminal",
    script:
      `open; script -qec "buildah run --tty $c tty" /dev/null </dev/null; buildah rm $c >/dev/null`,
    stdout: /\/dev\/pts\/0\s/,
  },
  {
    name: "no stray descriptors",
    script: "open; step $c sh -c 'ls /proc/self/fd | wc -l'; buildah rm $c >/dev/null",
    stdout: "4\n",
  },
  {
    name: "user, directory, environment, volume",
    script: `mkdir -p /run/vol; echo host > /run/vol/f; open
      step --user app --workingdir /tmp --env A=b -v /run/vol:/v $c sh -c 'echo $(id -u) $(pwd) $A; cat /v/f'; buildah rm $c >/dev/null`,
    stdout: "1000 /tmp b\nhost\n",
  },
  {
    name: "capabilities",
    script:
      `open; step --cap-drop all --cap-add CAP_CHOWN $c grep CapEff /proc/self/status; buildah rm $c >/dev/null`,
    stdout: /^CapEff:\t000000000000000[01]\n$/,
  },
  {
    name: "bud",
    script:
      `mkdir -p /run/b1; printf 'FROM localhost/bb\\nRUN echo built > /made\\nRUN id -u >> /made\\nUSER app\\nRUN id -u > /tmp/user\\n' > /run/b1/Containerfile
      bud built /run/b1 >/dev/null; c=$(buildah from localhost/built); step $c cat /made /tmp/user
      buildah rm $c >/dev/null; buildah rmi built >/dev/null`,
    stdout: "built\n0\n1000\n",
  },
  {
    name: "bud with the options of one command",
    script:
      `mkdir -p /run/b3; printf 'FROM localhost/bb\\nRUN echo built > /made\\n' > /run/b3/Containerfile
      unset BUILDAH_RUNTIME BUILDAH_ISOLATION
      buildah bud --runtime /usr/local/sbin/runts --isolation oci -q -t built3 /run/b3 >/dev/null
      c=$(buildah from localhost/built3); step --runtime /usr/local/sbin/runts --isolation oci $c cat /made
      buildah rm $c >/dev/null; buildah rmi built3 >/dev/null`,
    stdout: "built\n",
  },
  {
    name: "bud with mounts of a step",
    script: `mkdir -p /run/b4; echo context > /run/b4/f
      printf 'FROM localhost/bb\\nRUN --mount=type=bind,target=/c --mount=type=tmpfs,target=/t cat /c/f > /made && grep -c " /t tmpfs" /proc/mounts >> /made\\n' > /run/b4/Containerfile
      bud built4 /run/b4 >/dev/null; c=$(buildah from localhost/built4); step $c cat /made
      buildah rm $c >/dev/null; buildah rmi built4 >/dev/null`,
    stdout: "context\n1\n",
  },
  {
    name: "bud fails with its step",
    script: `mkdir -p /run/b2; printf 'FROM localhost/bb\\nRUN exit 3\\n' > /run/b2/Containerfile
      bud never /run/b2 2>&1`,
    stdout: /exit status 3/,
    code: 3,
  },
  {
    name: "nothing is left",
    script: `buildah ps -aq; ls /run/$RUNTIME 2>/dev/null
      for cgroup in /sys/fs/cgroup/pids/buildah-*; do cat "$cgroup/cgroup.procs" 2>/dev/null; done; true`,
    stdout: "",
  },
];

export const BUILDAH_CHECKS: readonly Check[] = CHECKS.map((check) => ({
  ...check,
  script: SHORT + check.script,
}));
