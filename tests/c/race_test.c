/*
 * Two containers on one root filesystem: what another makes or removes between a look and its use. The
 * calls that change directories are the test's own, and let the other act before or after them.
 * links: c/init/mount.c c/init/mount_request.c c/init/mount_fail.c c/init/open_tree.c c/init/fscontext.c c/init/legacy.c c/init/attributes.c c/init/tmpcopyup.c c/init/rootfs.c c/init/propagation.c c/init/chroot.c c/init/mask.c c/init/device.c c/init/console.c c/init/path.c c/init/procfs.c c/init/explain.c c/init/given.c c/init/sync.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include "../support/c/sandbox.h"

/* What the other does, once, at the next call. */
static void (*before)(void), (*after)(void);

static void act(void (**what)(void)) {
  const int error = errno;
  void (*once)(void) = *what;
  *what = NULL;
  if (once)
    once();
  errno = error;
}

static int changed(long result) {
  act(&after);
  return (int)result;
}

int mknodat(int at, const char *path, mode_t mode, dev_t number) {
  act(&before);
  return changed(syscall(SYS_mknodat, at, path, mode, number));
}

int mkdirat(int at, const char *path, mode_t mode) {
  act(&before);
  return changed(syscall(SYS_mkdirat, at, path, mode));
}

int symlinkat(const char *target, int at, const char *path) {
  act(&before);
  return changed(syscall(SYS_symlinkat, target, at, path));
}

int unlinkat(int at, const char *path, int flags) {
  act(&before);
  return changed(syscall(SYS_unlinkat, at, path, flags));
}

static void make_fifo(void) {
  NEED(mkfifo("root/d/x", 0640) == 0);
}
static void make_file(void) {
  write_text("root/d/x", "text");
}
static void remove_x(void) {
  NEED(unlink("root/d/x") == 0);
}
static void remove_d(void) {
  NEED(rmdir("root/d") == 0);
}
static void make_d(void) {
  NEED(syscall(SYS_mkdirat, AT_FDCWD, "root/d", 0755) == 0);
}
static void make_link(void) {
  NEED(syscall(SYS_symlinkat, "to", AT_FDCWD, "root/d/x") == 0);
}

static int fifo(void) {
  return op_device(&in, FIELDS(T("/d/x"), U(S_IFIFO), U(0640), U(0), U(0), U(0), U(0), U(NODE_MAKE),
                               T("/d/x"), U(0), I(-1)));
}

static int link_to(bool replace) {
  return op_symlink(&in, FIELDS(T("to"), T("/d/x"), U(replace)));
}

SANDBOX_TEST(a_node_that_another_has_just_made) {
  make_d();
  before = make_fifo;
  CHECK_NUMBER(fifo(), 0);
  CHECK_NUMBER(mode_of("root/d/x"), S_IFIFO | 0640);
}

SANDBOX_TEST(something_else_that_another_has_just_made) {
  make_d();
  before = make_file;
  CHECK_FAILS(fifo(), -EEXIST, "make the fifo \"/d/x\": \"/d/x\" is a regular file");
}

SANDBOX_TEST(a_node_that_another_removes) {
  make_d();
  after = remove_x;
  CHECK_NUMBER(fifo(), 0);
  CHECK_NUMBER(mode_of("root/d/x"), S_IFIFO | 0640);
}

SANDBOX_TEST(the_directory_that_another_removes) {
  make_d();
  before = remove_d;
  CHECK_NUMBER(fifo(), 0);
  NEED(unlink("root/d/x") == 0);
  before = remove_d;
  CHECK_NUMBER(link_to(false), 0);
}

/* Acts at the second call: the first finds what is there. */
static void remove_at_next(void) {
  before = remove_x;
}
static void make_after_next(void) {
  after = make_link;
}

SANDBOX_TEST(a_symlink_that_another_makes_or_removes) {
  make_d();
  NEED(symlink("old", "root/d/x") == 0);
  after = remove_at_next;
  CHECK_NUMBER(link_to(true), 0);
  CHECK_NUMBER(mode_of("root/d/x"), S_IFLNK | 0777);
  remove_x();
  NEED(symlink("old", "root/d/x") == 0);
  after = make_after_next;
  CHECK_NUMBER(link_to(true), 0);
  CHECK_NUMBER(mode_of("root/d/x"), S_IFLNK | 0777);
}

static int make_mount_point(bool directory) {
  int fd = directory ? path_make_directories(&in, "/d/e/f") : path_make_file(&in, "/d/e/f");
  if (fd < 0)
    return fd;
  close(fd);
  return 0;
}

SANDBOX_TEST(mount_points_that_another_makes_and_removes) {
  before = make_d;
  CHECK_NUMBER(make_mount_point(true), 0);
  CHECK_NUMBER(mode_of("root/d/e/f"), S_IFDIR | 0755);
  NEED(rmdir("root/d/e/f") == 0 && rmdir("root/d/e") == 0);
  before = remove_d;
  CHECK_NUMBER(make_mount_point(false), 0);
  CHECK_NUMBER(mode_of("root/d/e/f"), S_IFREG | 0644);
}

static const struct test tests[] = {
    TEST(a_node_that_another_has_just_made),
    TEST(something_else_that_another_has_just_made),
    TEST(a_node_that_another_removes),
    TEST(the_directory_that_another_removes),
    TEST(a_symlink_that_another_makes_or_removes),
    TEST(mount_points_that_another_makes_and_removes),
};

int main(int argc, char **argv) {
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
