# Images of the virtual machine, for run.sh: a disk and the state of a machine booted from it.
# shellcheck shell=bash

packages="systemd systemd-sysv dbus dbus-user-session libpam-systemd udev kmod procps iproute2
  apparmor uidmap busybox-static crun runc libseccomp2 strace${extra:+ $extra}"
release=bookworm
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# find_image: makes what is not in the cache yet. The machine is then in $image, $kernel, $emulator.
find_image() {
  mkdir -p "$cache"
  kernel=$(printf '%s\n' /boot/vmlinuz-*-cloud-amd64 | sort -V | tail -n 1)
  [[ -e $kernel ]] || die "there is no kernel /boot/vmlinuz-*-cloud-amd64"
  find_mirror
  find_emulator >&2
  rootfs=$cache/rootfs-$(key <<<"$release $packages").tar
  image=$cache/image-$({
    cat "$here"/{image,machine}.sh "$here"/guest/{agent,relay}
    printf '%s\n' "$rootfs" "$kernel" "$emulator" "$cpu" "$cores" "$memory" "$append"
  } | key)
  [[ -e $image/state ]] && return
  lock
  [[ -e $rootfs ]] || build_rootfs >&2
  [[ -e $image/state ]] || build_image >&2
  exec {lock}>&-
}

# Until $lock is closed nobody else makes something in the cache.
lock() { exec {lock}>"$cache/lock"; flock "$lock"; }

key() { sha256sum | cut -c 1-12; }

# The mirror of the host's own apt sources, which may be a near one.
find_mirror() {
  mirror=$(sed -n 's/^URIs: *\([^ ]*\/debian\)\/\{0,1\}$/\1/p
    s/^deb \(\[.*\] \)\{0,1\}\([^ ]*\/debian\)\/\{0,1\} .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sort -u | head -n 1 || :)
  mirror=${mirror:-http://deb.debian.org/debian}
}

# The backported QEMU runs a guest two to four times as fast as the one of Debian 12.
find_emulator() {
  emulator=$cache/qemu/usr/bin/qemu-system-x86_64
  [[ -e $emulator ]] || fetch_qemu || emulator=$(command -v qemu-system-x86_64) || die "there is no QEMU"
}

# Unpacked, not installed: its libraries are those of the installed one.
fetch_qemu() (
  set -e
  lock
  [[ ! -e $emulator ]] || exit 0
  rm -rf "$cache/qemu.new"
  mkdir -p "$cache"/qemu.new/{lists/partial,preferences.d} && cd "$cache/qemu.new"
  echo "deb [signed-by=$keyring] $mirror $release-backports main" >sources.list
  apt=(apt-get -qq -o "Dir::Etc=$PWD" -o "Dir::State=$PWD" -o "Dir::Cache=$PWD" -o APT::Sandbox::User=root)
  "${apt[@]}" update
  "${apt[@]}" download qemu-system-{x86,common,data}/"$release"-backports
  for deb in *.deb; do dpkg-deb -x "$deb" . && rm "$deb"; done
  usr/bin/qemu-system-x86_64 --version
  mv "$PWD" "$cache/qemu"
)

build_rootfs() {
  echo "vm: building the root filesystem"
  unshare --mount --propagation private mmdebstrap --quiet --variant=minbase --format=tar \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    --include="$(tr -s ' \n' , <<<"$packages" | sed 's/,$//')" \
    --customize-hook='chroot "$1" useradd --create-home --shell /bin/bash tester' \
    "$release" "$rootfs.new" "deb $mirror $release main" "deb $mirror $release-updates main" \
    "deb $mirror-security $release-security main"
  mv "$rootfs.new" "$rootfs"
}

# make_ext4 FILE DIR: sparse, and always of one size, which is how the snapshot knows the disks.
make_ext4() {
  truncate -s 8G "$1"
  mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,nodiscard,root_owner=0:0 -d "$2" "$1"
}

put() { install -D -m "${2:-644}" /dev/stdin "$guest/$1"; }

# What the guest has beyond Debian: its side of run.sh, and five delegated controllers for users.
configure() {
  local unit units=etc/systemd/system version=${kernel#/boot/vmlinuz-}
  mkdir -p "$guest"/{lib/modules,share,var/lib/systemd/linger,$units/multi-user.target.wants}
  touch "$guest"/var/lib/systemd/linger/{root,tester}
  cp -a "/lib/modules/$version" "$guest/lib/modules/"
  put etc/hostname <<<vm
  put etc/fstab </dev/null
  key <<<"$image" | sed 's/.*/&&&/; s/^\(.\{32\}\).*/\1/' | put etc/machine-id
  put etc/modules-load.d/runts.conf <<<$'virtio_console\noverlay\nbfq'
  put $units/user@.service.d/delegate.conf <<<$'[Service]\nDelegate=cpu cpuset io memory pids'
  put $units/vm-relay.service <<<$'[Service]\nExecStart=/usr/local/sbin/vm-relay'
  ln -s ../vm-relay.service "$guest/$units/multi-user.target.wants/"
  for unit in {apt-daily,apt-daily-upgrade,dpkg-db-backup,e2scrub_all,fstrim}.timer getty.target \
    systemd-tmpfiles-clean.timer podman{,-auto-update,-restart}.service podman.socket podman-auto-update.timer; do
    ln -sf /dev/null "$guest/$units/$unit"
  done
  put usr/local/sbin/vm-agent 755 <"$here/guest/agent"
  put usr/local/sbin/vm-relay 755 <"$here/guest/relay"
}

build_initrd() {
  local modules="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk"
  mkdir -p "$work"/initrd/{bin,dev,root}
  cp "$guest/bin/busybox" "$work/initrd/bin/"
  find "/lib/modules/${kernel#/boot/vmlinuz-}" -regextype egrep -regex ".*/(${modules// /|})\.ko" \
    -exec cp -t "$work/initrd" {} +
  put ../initrd/init 755 <<END
#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
for module in $modules; do busybox insmod /\$module.ko; done
until [ -b /dev/vda ]; do busybox usleep 10000; done
busybox mount -t ext4 -o noatime /dev/vda /root && exec busybox switch_root /root /sbin/init
END
  (cd "$work/initrd" && find . | cpio --quiet -o -H newc -R 0:0)
}

build_image() {
  local guest=$work/guest
  echo "vm: booting an image"
  rm -rf "$image" && mkdir -p "$image" "$guest"
  tar -C "$guest" --numeric-owner --xattrs --xattrs-include='*' -xf "$rootfs"
  configure
  build_initrd >"$image/initrd"
  make_ext4 "$image/root" "$guest"
  qemu-img create -q -f qcow2 -F raw -b root "$image/booted"
  start "$image/ram" on "format=qcow2,file=$image/booted"
  hear ready 600
  [[ $heard == running ]] || die "systemd is $heard"
  migrate migrate "cat >'$image/state.new'"
  until grep -q '"status": "completed"' "$work/qmp.log"; do
    ! grep -q -e '"error"' -e '"status": "failed"' "$work/qmp.log" || die "no snapshot: $(<"$work/qmp.log")"
    sleep 0.1
  done
  echo '{"execute":"quit"}' >&"$qmp"
  wait "$qemu"
  qemu=
  rm -rf "${work:?}"/*
  mv "$image/state.new" "$image/state"
}
