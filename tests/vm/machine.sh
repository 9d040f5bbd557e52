# The virtual machine, for run.sh: starting it, and moving its state to and from a file.
# shellcheck shell=bash

# start RAM SHARED ROOT [ARG...]: file RAM is the memory, and is written to only if SHARED is on.
start() {
  local port ports=()
  mkfifo "$work"/{in,ctl,qmp}
  exec {in}<>"$work/in" {ctl}<>"$work/ctl" {qmp}<>"$work/qmp"
  for port in out err ctl; do
    ports+=(-chardev "file,id=$port,path=$work/$port" -device "virtserialport,chardev=$port,name=$port")
  done
  truncate -s 8G "$work/share"
  # It dies with this shell. Without ioeventfd, a write to one port is done before one to the next.
  TMPDIR=$work setpriv --pdeathsig KILL "$emulator" \
    -L "${emulator%/bin/*}/share/qemu" -L /usr/share/qemu -L /usr/share/seabios \
    -accel tcg,thread=multi,tb-size=512 -cpu "$cpu" -smp "$cores" -m "$memory" \
    -machine pc,memory-backend=ram -object "memory-backend-file,id=ram,size=$memory,mem-path=$1,share=$2" \
    -nodefaults -no-user-config -display none -no-reboot -serial "file:$work/console" -qmp stdio \
    -kernel "$kernel" -initrd "$image/initrd" -append "console=ttyS0 quiet panic=-1 mitigations=off \
      nokaslr tsc=reliable no_timer_check net.ifnames=0 $append" \
    -drive "if=none,id=root,cache=unsafe,$3" -device virtio-blk-pci,drive=root,ioeventfd=off \
    -drive "if=none,id=share,cache=unsafe,format=raw,file=$work/share" \
    -device virtio-blk-pci,drive=share,ioeventfd=off -device virtio-serial-pci,ioeventfd=off \
    -chardev "pipe,id=in,path=$work/in" -device virtserialport,chardev=in,name=in "${ports[@]}" \
    "${@:4}" <"$work/qmp" >"$work/qmp.log" 2>"$work/qemu.log" &
  qemu=$!
}

# migrate COMMAND SHELL: moves the machine's state, all but its memory, to or from SHELL.
migrate() {
  local on='"state":true'
  printf '{"execute":"%s","arguments":{%s}}\n' qmp_capabilities '' migrate-set-capabilities \
    "\"capabilities\":[{\"capability\":\"x-ignore-shared\",$on},{\"capability\":\"events\",$on}]" \
    "$1" "\"uri\":\"exec:$2\"" >&"$qmp"
}

# hear WORD SECONDS: waits until the guest says WORD; the rest of that line is then in $heard.
hear() {
  local word deadline=$((SECONDS + $2))
  until read -r -t 1 -u "$ctl" word heard && [[ $word == "$1" ]]; do
    kill -0 "$qemu" 2>/dev/null || die "the machine died: $(tail -q -n 20 "$work"/{console,qemu.log})"
    ((SECONDS < deadline)) || die "timed out after $2 s" 124
  done
}
