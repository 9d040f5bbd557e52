#!/usr/bin/env bash
# Runs one command on a throw-away Debian 12 host in a virtual machine: systemd and cgroup v2.
#
#   tests/vm/run.sh [OPTION...] [--] COMMAND [ARG...]
#
#   --user       in the login session of "tester" (uid 1000, subordinate ids, lingering)
#                instead of a system service of root
#   --hybrid     controllers on v1 hierarchies, as systemd's "hybrid" layout has them
#   --with PACKAGES
#                Debian packages that are installed besides, in an image of its own
#   --timeout    what the command may take (300); making an image is not counted
#   --share DIR  the guest has a copy of DIR at /share, and starts there; its changes are lost
#
# Passes on what the command prints and its exit status. 124: out of time, 125: the machine failed.
#
# QEMU emulates in software, so it needs no /dev/kvm. An image is booted once and its memory kept
# in a file, which later runs map copy-on-write: they start with systemd up and users logged in.
# Images are below ${XDG_CACHE_HOME:-~/.cache}/runts-vm. Needs root and the packages that
# "tools/setup.ts vm" installs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(realpath -m "${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/runts-vm")
cpu=qemu64,-svm,+ssse3,+sse4.1,+sse4.2,+popcnt cores=2 memory=2G
user=root share='' append='' extra='' limit=300 usage=0

die() { printf 'vm: %s\n' "$1" >&2; exit "${2:-125}"; }

while [[ ${1-} == -* ]]; do
  case $1 in
    --user) user=tester ;;
    --hybrid) append=systemd.unified_cgroup_hierarchy=0 ;;
    --with) extra=${2-}; shift ;;
    --timeout) limit=${2-}; shift; [[ $limit =~ ^[0-9]+$ ]] || die "no number of seconds: $limit" ;;
    --share) share=${2-}; shift; [[ -d $share ]] || die "not a directory: $share" ;;
    --) shift; break ;;
    *) usage=1 ;;
  esac
  shift
done
if ((usage || !$#)); then
  die "usage: run.sh [--user] [--hybrid] [--with PACKAGES] [--timeout SECONDS] [--share DIR] [--] COMMAND..."
fi
((EUID == 0)) || die "making the machine's disk needs root"
[[ $(uname -m) == x86_64 ]] || die "the machine is an x86_64 one"

work=$(mktemp -d "${TMPDIR:-/tmp}/runts-vm.XXXXXX") qemu='' tails=''
trap '[[ -z $qemu ]] || { kill -KILL "$qemu"; wait "$qemu" $tails; } 2>/dev/null || :; rm -rf "$work"' EXIT
trap 'exit 143' HUP INT TERM

# shellcheck source=machine.sh
source "$here/machine.sh"
# shellcheck source=image.sh
source "$here/image.sh"

find_image

setup="busybox date -s @$EPOCHSECONDS >/dev/null" script="exec ${*@Q}"
if [[ -n $share ]]; then
  make_ext4 "$work/share" "$share"
  debugfs -w -f - "$work/share" <<<$'rmdir lost+found\nset_inode_field / mode 041777' &>/dev/null
  setup+="; busybox mount -t ext4 -o noinit_itable /dev/vdb /share" script="cd /share && $script"
fi

SECONDS=0
touch "$work"/{out,err}
start "$image/ram" off "format=qcow2,snapshot=on,file=$image/booted" -incoming defer
migrate migrate-incoming "cat '$image/state'"
tail -c +1 -s 0.05 --pid="$qemu" -f "$work/out" & tails=$!
tail -c +1 -s 0.05 --pid="$qemu" -f "$work/err" >&2 & tails+=" $!"
# A system service talks to systemd itself, a login session to that of its user.
[[ $user != root ]] || script="exec systemd-run -q --pipe --wait --collect bash -c ${script@Q}"
printf '%s\0' "$setup" "$user" "$script" >&"$in"
hear exit $((limit - SECONDS))
exit "$heard"
