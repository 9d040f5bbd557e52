/*
 * The root filesystem, masks, devices and the console.
 * links: c/init/mount.c c/init/mount_request.c c/init/mount_fail.c c/init/open_tree.c c/init/fscontext.c c/init/legacy.c c/init/attributes.c c/init/tmpcopyup.c c/init/rootfs.c c/init/propagation.c c/init/chroot.c c/init/mask.c c/init/device.c c/init/console.c c/init/path.c c/init/procfs.c c/init/explain.c c/init/given.c c/init/sync.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include "../support/c/sandbox.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

static int given_device(const char *path, unsigned type, dev_t number, int how, unsigned given) {
  return op_device(&in, FIELDS(T(path), U(type), U(0640), U(major(number)), U(minor(number)), U(0),
                               U(7), U(how), T("/dev/null"), U(given), I(-1)));
}

static int device(const char *path, unsigned type, unsigned major, unsigned minor, int how) {
  return op_device(&in, FIELDS(T(path), U(type), U(0640), U(major), U(minor), U(0), U(0), U(how),
                               T("/dev/null"), U(0), I(-1)));
}

static void check_null(const char *path) {
  struct stat st = {0};
  CHECK(lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

SANDBOX_TEST(opens_the_root) {
  CHECK_TEXT(mount_column("/root", 5), "rw,relatime");
  CHECK_TEXT(mount_column("/root", 6), "-");
  CHECK_FAILS(op_rootfs(&in, FIELDS(T("none/x"), U(1), I(-1))), -ENOENT,
              "root filesystem \"none/x\": \"none\" does not exist");
  CHECK(in.root >= 0);
  CHECK_FAILS(op_rootfs(&in, FIELDS(T("host"), U(1), I(4))), -EBADF,
              "root filesystem \"host\": bind it to itself");
}

SANDBOX_TEST(a_root_that_cannot_be_reached_is_taken_from_its_slot) {
  NEED(mkdir("host/closed", 0755) == 0 && mkdir("host/closed/root", 0755) == 0);
  write_text("host/closed/root/file", "here");
  CHECK_NUMBER(op_open_tree(&in, FIELDS(U(0), T("host/closed/root"), U(1), U(0), I(-1))), 0);
  NEED(chmod("host/closed", 0) == 0);
  NEED(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0); /* its root owns nothing here */
  NEED(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0);
  CHECK_NUMBER(op_rootfs(&in, FIELDS(T("host/closed/root"), U(1), I(0))), 0);
  CHECK_NUMBER(op_enter_root(&in, FIELDS(U(ENTER_PIVOT))), 0);
  CHECK_TEXT(read_line("/file"), "here");
}

static void check_entered(uint32_t method) {
  write_text("root/file", "inside");
  CHECK_NUMBER(op_enter_root(&in, FIELDS(U(method))), 0);
  CHECK_TEXT(read_line("/file"), "inside");
  CHECK_TEXT(read_line("file"), "inside");
  CHECK(access("/../tmp", F_OK) != 0 && access("/proc", F_OK) != 0);
  CHECK_NUMBER(op_mkdir(&in, FIELDS(T("/a/b"), U(0700))), 0); /* still resolved inside */
  CHECK_NUMBER(mode_of("/a/b"), S_IFDIR | 0700);
}

SANDBOX_TEST(enters_by_pivot_root) {
  check_entered(ENTER_PIVOT);
}

SANDBOX_TEST(enters_by_moving_the_mount) {
  check_entered(ENTER_MOVE);
  /* No full procfs of the host is left anywhere in the namespace. */
  CLEANUP_FD int self = openat(in.self, "mountinfo", O_RDONLY | O_CLOEXEC);
  static char text[1 << 16];
  CHECK(read(self, text, sizeof text - 1) > 0);
  CHECK(strstr(text, " - proc ") == NULL && strstr(text, " - sysfs ") == NULL);
}

SANDBOX_TEST(enters_by_chroot) {
  check_entered(ENTER_CHROOT);
}

SANDBOX_TEST(refuses_unknown_ways_in) {
  CHECK_FAILS(op_enter_root(&in, FIELDS(U(7))), -EINVAL,
              "enter the root filesystem: method 7 is unknown");
  close(in.root);
  in.root = -1;
  CHECK_FAILS(op_enter_root(&in, FIELDS(U(ENTER_PIVOT))), -EBADF,
              "enter the root filesystem: there is none yet");
}

SANDBOX_TEST(makes_the_root_read_only) {
  CHECK_NUMBER(MOUNT(.fstype = "tmpfs", .destination = "/a", .create = CREATE_DIRECTORY), 0);
  CHECK_NUMBER(op_readonly_root(&in, NULL), 0);
  CHECK_TEXT(mount_column("/root", 5), "ro,relatime");
  CHECK_TEXT(mount_column("/root/a", 5), "rw,relatime");
  CHECK_FAILS(op_mkdir(&in, FIELDS(T("/new/b"), U(0755))), -EROFS,
              "make the directory \"/new/b\": \"/new\" does not exist");
}

static int mask(const char *path) {
  return op_mask(&in, FIELDS(T(path), T("")));
}

SANDBOX_TEST(masks) {
  NEED(mkdir("root/d", 0755) == 0 && mkdir("root/e", 0755) == 0 && mkdir("root/d/in", 0755) == 0);
  write_text("root/f", "secret");
  write_text("root/g", "secret");
  write_text("host/f", "outside");
  NEED(symlink("../../host/f", "root/out") == 0 && symlink("/g", "root/link") == 0);
  const char *const paths[] = {"/d", "/e", "/f", "/link", "/out", "/none", "/f/none", "/d", "/f"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    CHECK_NUMBER(mask(paths[i]), 0);
  check_null("root/f");
  check_null("root/g");
  CHECK_TEXT(read_line("host/f"), "outside");
  CHECK_TEXT(mount_column("/root/d", 5), "ro,relatime");
  CHECK(access("root/d/in", F_OK) != 0 && mkdir("root/d/new", 0755) != 0 && errno == EROFS);
  CHECK_NUMBER(umount2("root/d", MNT_DETACH), 0); /* once: nothing is masked twice */
  CHECK_NUMBER(access("root/d/in", F_OK), 0);
  CHECK_NUMBER(umount2("root/f", MNT_DETACH), 0);
  CHECK_TEXT(read_line("root/f"), "secret");
}

SANDBOX_TEST(masks_with_the_genuine_null_alone) {
  NEED(mkdir("root/dev", 0755) == 0);
  write_text("root/f", "secret");
  CHECK_NUMBER(op_enter_root(&in, FIELDS(U(ENTER_PIVOT))), 0);
  CHECK_FAILS(mask("/f"), -ENOENT, "mask \"/f\": \"/dev/null\" does not exist");
  write_text("/dev/null", "fake");
  CHECK_FAILS(mask("/f"), -ENODEV, "mask \"/f\": \"/dev/null\" is not the null device");
  NEED(unlink("/dev/null") == 0 && symlink("/f", "/dev/null") == 0);
  CHECK_FAILS(mask("/f"), -ENODEV, "mask \"/f\": \"/dev/null\" is not the null device");
  CHECK_TEXT(read_line("/f"), "secret");
}

SANDBOX_TEST(makes_paths_read_only) {
  NEED(mkdir("root/d", 0755) == 0);
  CHECK_NUMBER(MOUNT(.fstype = "tmpfs", .destination = "/d/sub", .create = CREATE_DIRECTORY,
                     .attr_set = MOUNT_ATTR_NOEXEC),
               0);
  CHECK_NUMBER(op_readonly(&in, FIELDS(T("/d"))), 0);
  CHECK_NUMBER(op_readonly(&in, FIELDS(T("/none"))), 0);
  CHECK_TEXT(mount_column("/root/d", 5), "ro,relatime");
  CHECK_TEXT(mount_column("/root/d/sub", 5), "rw,noexec,relatime");
  CHECK_NUMBER(op_readonly(&in, FIELDS(T("/d/sub"))), 0);
  CHECK_TEXT(mount_column("/root/d/sub", 5), "ro,noexec,relatime");
  CHECK_NUMBER(op_readonly(&in, FIELDS(T("/"))), 0);
  CHECK_TEXT(mount_column("/root", 5), "ro,relatime");
}

SANDBOX_TEST(binds_nodes_where_none_may_be_made) {
  CHECK_FAILS(device("/dev/null", S_IFCHR, 1, 3, NODE_MAKE), -EPERM,
              "make the character device 1:3 \"/dev/null\"");
  CHECK_NUMBER(device("/dev/null", S_IFCHR, 1, 3, NODE_EITHER), 0);
  CHECK_NUMBER(device("/dev/null", S_IFCHR, 1, 3, NODE_BIND), 0);
  check_null("root/dev/null");
  CHECK_NUMBER(umount("root/dev/null"), 0);
  CHECK_NUMBER(device("/dev/null", S_IFCHR, 1, 3, NODE_BIND), 0); /* on the file that is left */
  check_null("root/dev/null");
  struct stat before, after;
  NEED(stat("/dev/null", &before) == 0 && stat("root/dev/null", &after) == 0);
  CHECK_NUMBER(after.st_mode, before.st_mode);
  CHECK_TEXT(mount_column("/root/dev/null", 5), "rw,nosuid,noexec,relatime");
  CHECK_FAILS(given_device("/n", S_IFCHR, makedev(1, 3), NODE_BIND, GIVEN_MODE), -EPERM,
              "make the character device 1:3 \"/n\": the host's node is all there is, and has mode "
              "0666 instead of 0640");
  char belongs[160];
  snprintf(belongs, sizeof belongs,
           "make the character device 1:3 \"/n\": the host's node is all there is, and belongs to "
           "%u:%u instead of 0:7 here",
           before.st_uid, before.st_gid);
  CHECK_FAILS(given_device("/n", S_IFCHR, makedev(1, 3), NODE_BIND, GIVEN_GID), -EPERM, belongs);
  CHECK_NUMBER(device("/pipe", S_IFIFO, 0, 0, NODE_MAKE), 0);
  CHECK_NUMBER(mode_of("root/pipe"), S_IFIFO | 0640);
}

SANDBOX_TEST(refuses_what_is_in_a_nodes_place) {
  NEED(symlink("/dev/null", "root/link") == 0 && mkdir("root/d", 0755) == 0);
  write_text("root/file", "here");
  write_text("root/empty", "");
  CHECK_FAILS(device("/file", S_IFBLK, 7, 1, NODE_MAKE), -EEXIST,
              "make the block device 7:1 \"/file\": \"/file\" is a regular file");
  CHECK_FAILS(device("/link", S_IFCHR, 1, 3, NODE_EITHER), -EEXIST,
              "make the character device 1:3 \"/link\": \"/link\" is a symlink");
  CHECK_FAILS(device("/d", S_IFIFO, 0, 0, NODE_MAKE), -EEXIST,
              "make the fifo \"/d\": \"/d\" is a directory");
  CHECK_FAILS(device("/file", S_IFCHR, 1, 5, NODE_BIND), -EEXIST,
              "make the character device 1:5 \"/file\": \"/file\" is a regular file");
  CHECK_FAILS(device("/empty", S_IFCHR, 1, 5, NODE_BIND), -EEXIST,
              "make the character device 1:5 \"/empty\": \"/dev/null\" is a character device 1:3 "
              "on the host");
  CHECK_FAILS(device("/file/x", S_IFCHR, 1, 3, NODE_BIND), -ENOTDIR,
              "make the character device 1:3 \"/file/x\": \"/file\" is a regular file, "
              "not a directory");
}

SANDBOX_TEST(makes_symlinks) {
  char target[16] = "";
  CHECK_NUMBER(op_symlink(&in, FIELDS(T("one"), T("/d/link"), U(0))), 0);
  CHECK_NUMBER(op_symlink(&in, FIELDS(T("two"), T("/d/link"), U(0))), 0);
  CHECK(readlink("root/d/link", target, sizeof target) == 3);
  CHECK_TEXT(target, "one");
  CHECK_NUMBER(op_symlink(&in, FIELDS(T("two"), T("/d/link"), U(1))), 0);
  CHECK(readlink("root/d/link", target, sizeof target) == 3);
  CHECK_TEXT(target, "two");
  CHECK_FAILS(op_symlink(&in, FIELDS(T("two"), T("/d"), U(1))), -EISDIR,
              "make the symlink \"/d\" to \"two\"");
}

SANDBOX_TEST(makes_files) {
  umask(077);
  CHECK_NUMBER(op_make_file(&in, FIELDS(T("/d/file"), U(0444), T("text\n"))), 0);
  CHECK_NUMBER(mode_of("root/d/file"), S_IFREG | 0444);
  CHECK_TEXT(read_line("root/d/file"), "text");
  CHECK_FAILS(op_make_file(&in, FIELDS(T("/d/file"), U(0444), T(""))), -EEXIST,
              "make the file \"/d/file\"");
  NEED(symlink("file", "root/d/link") == 0);
  CHECK_FAILS(op_make_file(&in, FIELDS(T("/d/link"), U(0444), T("x"))), -EEXIST,
              "make the file \"/d/link\"");
  CHECK_FAILS(op_make_file(&in, FIELDS(T("/d/file/x"), U(0444), T("x"))), -ENOTDIR,
              "make the file \"/d/file/x\": \"/d/file\" is a regular file, not a directory");
}

static int console(int slot) {
  return op_console(&in, FIELDS(U(slot), U(40), U(120), U(0), U(1)));
}

static void mount_devpts(void) {
  CHECK_NUMBER(MOUNT(.fstype = "devpts", .destination = "/dev/pts", .create = CREATE_DIRECTORY,
                     .data = LIST("newinstance", "ptmxmode=0666", "mode=0620")),
               0);
}

/* The descriptor in a message of that text. */
static int receive_master(int socket, const char *text) {
  char name[64] = "", control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {name, sizeof name - 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int fd = -1;
  CHECK(recvmsg(socket, &message, MSG_CMSG_CLOEXEC) > 0);
  CHECK_TEXT(name, text);
  NEED(CMSG_FIRSTHDR(&message));
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

SANDBOX_TEST(makes_the_console) {
  int ends[2];
  struct winsize size;
  NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 && setsid() > 0);
  CLEANUP_FD int log = dup(2);
  in.slots[6] = ends[0];
  signal(SIGHUP, SIG_IGN); /* for when the master is closed */
  mount_devpts();
  CHECK_NUMBER(console(6), 0);
  CHECK(isatty(0) && isatty(1) && isatty(2));
  dup2(log, 2);
  CHECK_NUMBER(in.slots[6], -1);
  CLEANUP_FD int master = receive_master(ends[1], "/dev/pts/0");
  CHECK(ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_row == 40 && size.ws_col == 120);
  CHECK_NUMBER(mode_of("root/dev/console"), S_IFCHR | 0620);
  CLEANUP_FD int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  char text[8] = "";
  CHECK(write(tty, "hi\n", 3) == 3 && read(master, text, sizeof text - 1) == 4);
  CHECK_TEXT(text, "hi\r\n");
}

SANDBOX_TEST(refuses_a_false_console) {
  mount_devpts();
  NEED(symlink("/etc/passwd", "root/dev/console") == 0);
  CHECK_FAILS(console(6), -EEXIST, "console: mount on \"/dev/console\": it is a symlink");
  NEED(unlink("root/dev/console") == 0 && mkdir("root/dev/console", 0755) == 0);
  CHECK_FAILS(console(6), -EEXIST, "console: mount on \"/dev/console\": it is a directory");
  NEED(rmdir("root/dev/console") == 0);
  CHECK_FAILS(console(6), -EBADF, "console: there is no socket to send the terminal over");
  write_text("host/file", "%s", "");
  NEED(mount("host/file", "root/dev/pts/ptmx", NULL, MS_BIND, NULL) == 0);
  CHECK_FAILS(console(6), -ENOTTY, "console: \"/dev/pts/ptmx\" is not the multiplexer of a devpts");
  NEED(umount("root/dev/pts/ptmx") == 0 && umount("root/dev/pts") == 0);
  CHECK_FAILS(console(6), -ENOENT, "console: open \"/dev/ptmx\": \"/dev/ptmx\" does not exist");
}

static const struct test tests[] = {
    TEST(opens_the_root),
    TEST(a_root_that_cannot_be_reached_is_taken_from_its_slot),
    TEST(enters_by_pivot_root),
    TEST(enters_by_moving_the_mount),
    TEST(enters_by_chroot),
    TEST(refuses_unknown_ways_in),
    TEST(makes_the_root_read_only),
    TEST(masks),
    TEST(masks_with_the_genuine_null_alone),
    TEST(makes_paths_read_only),
    TEST(binds_nodes_where_none_may_be_made),
    TEST(refuses_what_is_in_a_nodes_place),
    TEST(makes_symlinks),
    TEST(makes_files),
    TEST(makes_the_console),
    TEST(refuses_a_false_console),
};

int main(int argc, char **argv) {
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
