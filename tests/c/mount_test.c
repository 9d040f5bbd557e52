/*
 * Mounts: what they are made of, where they end up, what their failures say.
 * links: c/init/mount.c c/init/mount_request.c c/init/mount_fail.c c/init/open_tree.c c/init/unmount.c c/init/fscontext.c c/init/legacy.c c/init/attributes.c c/init/tmpcopyup.c c/init/rootfs.c c/init/propagation.c c/init/chroot.c c/init/path.c c/init/procfs.c c/init/explain.c c/init/given.c c/init/sync.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include "../support/c/sandbox.h"

#define BIND .kind = MOUNT_BIND, .create = CREATE_AUTO
#define TMPFS .fstype = "tmpfs", .source = "tmpfs", .create = CREATE_DIRECTORY

SANDBOX_TEST(makes_filesystems) {
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/a/b", .data = LIST("mode=750", "size=64k"),
                     .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW),
               0);
  CHECK_TEXT(mount_column("/root/a/b", 5), "ro,nosuid,relatime,nosymfollow");
  CHECK_NUMBER(mode_of("root/a/b"), S_IFDIR | 0750);
  CHECK_NUMBER(mode_of("root/a"), S_IFDIR | 0755);
}

SANDBOX_TEST(says_what_a_filesystem_refuses) {
  CHECK_FAILS(MOUNT(TMPFS, .destination = "/a", .data = LIST("size=much")), -EINVAL,
              "mount \"tmpfs\" on \"/a\": tmpfs: Bad value for 'size'");
  CHECK_FAILS(MOUNT(TMPFS, .destination = "/a", .data = LIST("colour=red")), -EINVAL,
              "mount \"tmpfs\" on \"/a\": tmpfs: Unknown parameter 'colour'");
  CHECK_FAILS(MOUNT(.fstype = "nosuchfs", .destination = "/a", .create = CREATE_DIRECTORY), -ENODEV,
              "mount \"nosuchfs\" on \"/a\": the kernel has no filesystem \"nosuchfs\"");
  CHECK_FAILS(MOUNT(.fstype = "tmpfs", .destination = "/none/b"), -ENOENT,
              "mount \"tmpfs\" on \"/none/b\": \"/none\" does not exist");
  CHECK_TEXT(mount_column("/root/a", 4), "");
}

SANDBOX_TEST(falls_back_to_the_old_call) {
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/a", .superblock = LIST("silent", "sync"),
                     .data = LIST("size=64k,mode=711"), .attr_set = MOUNT_ATTR_NOEXEC),
               0);
  CHECK_TEXT(mount_column("/root/a", 5), "rw,noexec,relatime");
  CHECK_NUMBER(mode_of("root/a"), S_IFDIR | 0711);
  CHECK_NUMBER(umount2("root/a", UMOUNT_NOFOLLOW), 0);
  CHECK_TEXT(mount_column("/root/a", 4), ""); /* the place that it was made in is gone too */
  char working[PATH_MAX];
  CHECK(strstr(getcwd(working, sizeof working), "/runts-sandbox-"));
}

SANDBOX_TEST(refuses_symlinks_for_proc_and_sys) {
  NEED(symlink("elsewhere", "root/proc") == 0 && mkdir("root/elsewhere", 0755) == 0);
  CHECK_FAILS(MOUNT(.fstype = "proc", .destination = "/proc", .create = CREATE_DIRECTORY), -ENOTDIR,
              "mount \"proc\" on \"/proc\": the mount point is a symlink, not a directory");
  CHECK_FAILS(MOUNT(.fstype = "sysfs", .destination = "/proc", .create = CREATE_DIRECTORY),
              -ENOTDIR,
              "mount \"sysfs\" on \"/proc\": the mount point is a symlink, not a directory");
}

SANDBOX_TEST(inherits_modes) {
  NEED(mkdir("root/a", 0755) == 0 && chmod("root/a", 03750) == 0);
  const unsigned flags = MOUNT_INHERIT_MODE;
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/a", .flags = flags), 0);
  CHECK_NUMBER(mode_of("root/a"), S_IFDIR | 03750);
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/a", .flags = flags, .data = LIST("mode=700")), 0);
  CHECK_NUMBER(mode_of("root/a"), S_IFDIR | 0700);
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/new", .flags = flags), 0);
  CHECK_NUMBER(mode_of("root/new"), S_IFDIR | 01777);
}

/* From the sandbox again: the operation leaves another working directory. */
static int unmount_op(const char *path) {
  CLEANUP_FD int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  in.detail_length = 0;
  int result = op_unmount(&in, FIELDS(T(path)));
  NEED(here >= 0 && fchdir(here) == 0);
  return result;
}

SANDBOX_TEST(unmounts_where_the_path_leads) {
  write_text("host/file", "text");
  NEED(mkdir("root/a", 0755) == 0 && symlink("/../a", "root/link") == 0);
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/a"), 0);
  CHECK_NUMBER(MOUNT(BIND, .source = "host/file", .destination = "/a/file"), 0);
  CHECK_NUMBER(unmount_op("/link/file"), 0);
  CHECK_TEXT(mount_column("/root/a/file", 4), "");
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/a/b"), 0);
  CHECK_NUMBER(unmount_op("/link"), 0); /* with what is below */
  CHECK_TEXT(mount_column("/root/a/b", 4), "");
  CHECK_TEXT(mount_column("/root/a", 4), "");
}

SANDBOX_TEST(says_what_cannot_be_unmounted) {
  NEED(mkdir("root/a", 0755) == 0);
  CHECK_FAILS(unmount_op("/"), -EBUSY, "unmount \"/\": it is the root");
  CHECK_FAILS(unmount_op("/a"), -EINVAL,
              "unmount \"/a\": nothing is mounted there, or the user namespace locks it");
  CHECK_FAILS(unmount_op("/a/b/c"), -ENOENT, "unmount \"/a/b/c\": \"/a/b\" does not exist");
}

SANDBOX_TEST(copies_up) {
  NEED(mkdir("root/a", 01775) == 0 && mkdir("root/a/sub", 0700) == 0);
  NEED(chmod("root/a", 01775) == 0 && symlink("/etc/passwd", "root/a/link") == 0);
  NEED(mkfifo("root/a/fifo", 0600) == 0 && chmod("root/a/fifo", 0620) == 0);
  write_text("root/a/sub/file", "text");
  NEED(truncate("root/a/sub/file", 1 << 20) == 0 && chmod("root/a/sub/file", 04711) == 0);
  NEED(mount("tmpfs", "root/a/sub", "tmpfs", 0, NULL) == 0);
  write_text("root/a/sub/other", "hidden");
  NEED(umount("root/a/sub") == 0);
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/a", .flags = MOUNT_TMPCOPYUP, .superblock = LIST("ro"),
                     .attr_set = MOUNT_ATTR_RDONLY, .data = LIST("size=64k")),
               0);
  CHECK_TEXT(mount_column("/root/a", 5), "ro,relatime");
  CHECK_NUMBER(mode_of("root/a"), S_IFDIR | 01775);
  CHECK_NUMBER(mode_of("root/a/sub"), S_IFDIR | 0700);
  CHECK_NUMBER(mode_of("root/a/sub/file"), S_IFREG | 04711);
  CHECK_NUMBER(mode_of("root/a/link"), S_IFLNK | 0777);
  CHECK_NUMBER(mode_of("root/a/fifo"), S_IFIFO | 0620);
  struct stat st;
  CHECK(stat("root/a/sub/file", &st) == 0 && st.st_size == 1 << 20);
  char text[8] = "";
  CLEANUP_FD int file = open("root/a/sub/file", O_RDONLY | O_CLOEXEC);
  CHECK(read(file, text, 4) == 4);
  CHECK_TEXT(text, "text");
  CHECK(mkdir("root/a/new", 0755) != 0 && errno == EROFS);
}

SANDBOX_TEST(says_what_could_not_be_copied_up) {
  NEED(mkdir("root/a", 0755) == 0);
  char megabyte[1 << 16];
  memset(megabyte, 'x', sizeof megabyte - 1);
  megabyte[sizeof megabyte - 1] = '\0';
  write_text("root/a/file", "%s", megabyte);
  CHECK_FAILS(MOUNT(TMPFS, .destination = "/a", .flags = MOUNT_TMPCOPYUP, .data = LIST("size=4k")),
              -ENOSPC, "mount \"tmpfs\" on \"/a\": copy what is at the mount point");
  CHECK_TEXT(mount_column("/root/a", 4), "");
}

SANDBOX_TEST(binds) {
  write_text("host/file", "here");
  CHECK_NUMBER(MOUNT(BIND, .source = "host", .destination = "/a/b",
                     .attr_set = MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODEV,
                     .attr_clear = MOUNT_ATTR__ATIME),
               0);
  CHECK_TEXT(read_line("root/a/b/file"), "here");
  CHECK_TEXT(mount_column("/a/b", 5), "rw,nodev,noatime");
  CHECK_NUMBER(MOUNT(BIND, .source = "host/file", .destination = "/c/file"), 0);
  CHECK_TEXT(read_line("root/c/file"), "here");
  CHECK_TEXT(mount_column("/c/file", 3), "/host/file");
}

SANDBOX_TEST(says_why_a_bind_fails) {
  write_text("host/file", "here");
  NEED(mkdir("root/dir", 0755) == 0);
  CHECK_FAILS(MOUNT(BIND, .source = "host/no/file", .destination = "/a"), -ENOENT,
              "bind \"host/no/file\" on \"/a\": \"host/no\" does not exist");
  CHECK_FAILS(MOUNT(BIND, .source = "host/file/x", .destination = "/a"), -ENOTDIR,
              "bind \"host/file/x\" on \"/a\": \"host/file\" is a regular file, not a directory");
  CHECK_FAILS(MOUNT(BIND, .source = "host/file", .destination = "/dir"), -ENOTDIR,
              "bind \"host/file\" on \"/dir\": the source being a regular file, the mount point a "
              "directory");
  CHECK_FAILS(MOUNT(BIND, .source = "host", .slot = 7, .destination = "/dir"), -EBADF,
              "bind \"host\" on \"/dir\": slot 7 is empty");
}

SANDBOX_TEST(keeps_what_is_locked) {
  /* Whatever the new user namespace finds mounted is locked. */
  const uint64_t all = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  NEED(mount("tmpfs", "host", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, NULL) == 0);
  NEED(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
  NEED(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0);
  close(in.root);
  in.root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
  CHECK_FAILS(MOUNT(BIND, .source = "host", .destination = "/", .attr_clear = all), -EPERM,
              "bind \"host\" on \"/\": set its attributes");
  const unsigned keep = MOUNT_KEEP_LOCKED;
  CHECK_NUMBER(MOUNT(BIND, .source = "host", .destination = "/", .attr_set = MOUNT_ATTR_NOEXEC,
                     .attr_rest = all & ~(uint64_t)MOUNT_ATTR_NOEXEC, .flags = keep),
               0);
  CHECK_TEXT(mount_column("/root", 5), "rw,nosuid,nodev,noexec,noatime");
  CHECK_FAILS(MOUNT(BIND, .source = "host", .destination = "/", .attr_clear = MOUNT_ATTR_NODEV,
                    .flags = keep),
              -EPERM,
              "bind \"host\" on \"/\": \"dev\" is refused: the user namespace locks the attributes "
              "of the source");
  CHECK_FAILS(
      MOUNT(BIND, .source = "host", .destination = "/", .rec_clear = MOUNT_ATTR_NOSUID,
            .flags = keep),
      -EPERM,
      "bind \"host\" on \"/\": \"suid\" is refused: the user namespace locks the attributes "
      "of the source");
  CHECK_FAILS(MOUNT(BIND, .source = "host", .destination = "/", .attr_clear = MOUNT_ATTR__ATIME,
                    .flags = keep),
              -EPERM,
              "bind \"host\" on \"/\": another setting of access times is refused: the user "
              "namespace locks the attributes of the source");
}

SANDBOX_TEST(treats_symlinks_as_told) {
  write_text("host/file", "here");
  NEED(symlink("file", "host/link") == 0 && symlink("/gone/x", "root/link") == 0);
  CHECK_NUMBER(
      MOUNT(BIND, .source = "host/link", .destination = "/copy", .flags = MOUNT_COPY_SYMLINK), 0);
  CHECK_NUMBER(mode_of("root/copy"), S_IFLNK | 0777);
  CHECK_NUMBER(
      MOUNT(BIND, .source = "host/link", .destination = "/copy", .flags = MOUNT_COPY_SYMLINK), 0);
  CHECK_FAILS(
      MOUNT(BIND, .source = "host/link", .destination = "/link", .flags = MOUNT_COPY_SYMLINK),
      -EEXIST, "bind \"host/link\" on \"/link\"");
  CHECK_NUMBER(
      MOUNT(BIND, .source = "host/link", .destination = "/raw", .flags = MOUNT_SRC_NOFOLLOW), 0);
  CHECK_NUMBER(mode_of("root/raw"), S_IFLNK | 0777);
  CHECK_NUMBER(MOUNT(BIND, .source = "host/file", .destination = "/link"), 0);
  CHECK_TEXT(read_line("root/gone/x"), "here");
  CHECK_NUMBER(
      MOUNT(BIND, .source = "host/file", .destination = "/link", .flags = MOUNT_DEST_NOFOLLOW), 0);
  CHECK_TEXT(mount_column("/root/link", 3), "/host/file");
}

SANDBOX_TEST(remounts) {
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/a"), 0);
  CHECK_NUMBER(MOUNT(.kind = MOUNT_REMOUNT, .destination = "/a", .attr_set = MOUNT_ATTR_RDONLY,
                     .superblock = LIST("ro"), .data = LIST("size=128k")),
               0);
  CHECK_TEXT(mount_column("/root/a", 5), "ro,relatime");
  NEED(mkdir("root/plain", 0755) == 0);
  CHECK_FAILS(MOUNT(.kind = MOUNT_REMOUNT, .destination = "/plain", .attr_set = MOUNT_ATTR_RDONLY),
              -EINVAL, "remount \"/plain\": nothing is mounted there");
  CHECK_FAILS(MOUNT(.kind = MOUNT_REMOUNT, .destination = "/plain", .superblock = LIST("ro")),
              -EINVAL, "remount \"/plain\": nothing is mounted there");
}

SANDBOX_TEST(sets_propagation) {
  const uint32_t values[] = {MS_PRIVATE | MS_REC, MS_SHARED};
  CHECK_NUMBER(MOUNT(BIND, .source = "host", .destination = "/a",
                     .propagation = (const uint8_t *)values, .propagation_count = 2),
               0);
  CHECK_NUMBER(strncmp(mount_column("/root/a", 6), "shared:", 7), 0);
  CHECK_NUMBER(MOUNT(BIND, .source = "host", .destination = "/b"), 0);
  CHECK_TEXT(mount_column("/root/b", 6), "-");
}

SANDBOX_TEST(opens_sources_early) {
  NEED(mkdir("host/sub", 0755) == 0 && mount("tmpfs", "host/sub", "tmpfs", 0, NULL) == 0);
  write_text("host/sub/file", "deep");
  CHECK_NUMBER(op_open_tree(&in, FIELDS(U(3), T("host"), U(1), U(0), I(-1))), 0);
  NEED(umount("host/sub") == 0);
  CHECK_NUMBER(MOUNT(.kind = MOUNT_RBIND, .source = "host", .slot = 3, .destination = "/a",
                     .create = CREATE_AUTO),
               0);
  CHECK_TEXT(read_line("root/a/sub/file"), "deep");
  CHECK_NUMBER(in.slots[3], -1);
  CHECK_FAILS(op_open_tree(&in, FIELDS(U(3), T("nowhere"), U(0), U(0), I(-1))), -ENOENT,
              "open the bind source \"nowhere\": \"nowhere\" does not exist");
  CHECK_FAILS(op_open_tree(&in, FIELDS(U(3), T("host"), U(0), U(0), I(9))), -EBADF,
              "map the ids of \"host\": slot 9 is empty");
  CHECK_NUMBER(in.slots[3], -1);
}

SANDBOX_TEST(a_mount_over_the_root_is_the_root) {
  CHECK_NUMBER(MOUNT(TMPFS, .destination = "/"), 0);
  CHECK_NUMBER(MOUNT(BIND, .source = "host", .destination = "/inside"), 0);
  CHECK_TEXT(mount_column("/root/inside", 3), "/host");
}

/* While directories on the way are swapped for symlinks to the host, without end. */
SANDBOX_TEST(mounts_nothing_outside) {
  NEED(mkdir("root/swap", 0755) == 0 && symlink("../../../../host", "root/other") == 0);
  const pid_t pid = fork();
  NEED(pid >= 0);
  while (pid == 0)
    syscall(SYS_renameat2, AT_FDCWD, "root/swap", AT_FDCWD, "root/other", 2);
  for (int i = 0; i < 200; i++) {
    char path[32];
    snprintf(path, sizeof path, "/swap/d%d", i);
    MOUNT(TMPFS, .destination = path);
    snprintf(path, sizeof path, "/swap/f%d", i);
    MOUNT(BIND, .source = "/dev/null", .destination = path);
    CHECK_NUMBER(rmdir("host"), 0); /* empty, and nothing is mounted in it */
    CHECK_NUMBER(mkdir("host", 0755), 0);
  }
  kill(pid, SIGKILL);
  CHECK_NUMBER(waitpid(pid, NULL, 0), pid);
}

static const struct test tests[] = {
    TEST(makes_filesystems),
    TEST(says_what_a_filesystem_refuses),
    TEST(falls_back_to_the_old_call),
    TEST(refuses_symlinks_for_proc_and_sys),
    TEST(inherits_modes),
    TEST(unmounts_where_the_path_leads),
    TEST(says_what_cannot_be_unmounted),
    TEST(copies_up),
    TEST(says_what_could_not_be_copied_up),
    TEST(binds),
    TEST(says_why_a_bind_fails),
    TEST(keeps_what_is_locked),
    TEST(treats_symlinks_as_told),
    TEST(remounts),
    TEST(sets_propagation),
    TEST(opens_sources_early),
    TEST(a_mount_over_the_root_is_the_root),
    TEST(mounts_nothing_outside),
};

int main(int argc, char **argv) {
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
