/*
 * Trees of files: what a copy has of them, how failures are named, and what is removed.
 * links: c/helper/tree.c c/helper/tree_copy.c c/helper/tree_file.c c/helper/tree_links.c c/init/mount.c c/init/mount_request.c c/init/mount_fail.c c/init/open_tree.c c/init/fscontext.c c/init/legacy.c c/init/attributes.c c/init/tmpcopyup.c c/init/rootfs.c c/init/propagation.c c/init/chroot.c c/init/path.c c/init/procfs.c c/init/explain.c c/init/given.c c/init/sync.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include <sys/xattr.h>

#include "../../c/helper/tree.h"
#include "../support/c/sandbox.h"

static struct tree_report report;

static int copy(const char *from, const char *to) {
  report = (struct tree_report){0};
  return rts_tree_copy(from, to, &report);
}

static int remove_tree(const char *path) {
  report = (struct tree_report){0};
  return rts_tree_remove(path, &report);
}

static struct stat stat_of(const char *path) {
  struct stat st = {0};
  CHECK(lstat(path, &st) == 0);
  return st;
}

SANDBOX_TEST(copies_what_files_are) {
  const struct timespec times[] = {{.tv_sec = 1000, .tv_nsec = 5}, {.tv_sec = 2000, .tv_nsec = 7}};
  char text[64] = "";
  NEED(mkdir("a", 0755) == 0 && mkdir("a/sub", 0755) == 0 && mkdir("a/sub/empty", 0700) == 0);
  write_text("a/sub/file", "text");
  NEED(chmod("a/sub/file", 04751) == 0);
  NEED(symlink("/nowhere/at all", "a/link") == 0 && mkfifo("a/fifo", 0600) == 0);
  NEED(chmod("a/fifo", 0620) == 0);
  NEED(mknod("a/socket", S_IFSOCK | 0600, 0) == 0 && chmod("a/sub", 03751) == 0);
  NEED(utimensat(AT_FDCWD, "a/sub/file", times, 0) == 0);
  NEED(utimensat(AT_FDCWD, "a/link", times, AT_SYMLINK_NOFOLLOW) == 0);
  NEED(utimensat(AT_FDCWD, "a/sub", times, 0) == 0 && utimensat(AT_FDCWD, "a", times, 0) == 0);
  CHECK_NUMBER(copy("a", "b"), 0);
  CHECK_NUMBER(report.files, 6);
  CHECK_TEXT(read_line("b/sub/file"), "text");
  CHECK_NUMBER(mode_of("b/sub/file"), S_IFREG | 04751);
  CHECK_NUMBER(mode_of("b/sub"), S_IFDIR | 03751);
  CHECK_NUMBER(mode_of("b/sub/empty"), S_IFDIR | 0700);
  CHECK_NUMBER(mode_of("b/fifo"), S_IFIFO | 0620);
  CHECK_NUMBER(mode_of("b/socket"), S_IFSOCK | 0600);
  CHECK_NUMBER(readlink("b/link", text, sizeof text - 1), 15);
  CHECK_TEXT(text, "/nowhere/at all");
  const char *timed[] = {"b", "b/sub", "b/sub/file", "b/link"};
  for (size_t i = 0; i < 4; i++) {
    CHECK_NUMBER(stat_of(timed[i]).st_mtim.tv_sec, 2000);
    CHECK_NUMBER(stat_of(timed[i]).st_mtim.tv_nsec, 7);
  }
}

SANDBOX_TEST(copies_attributes) {
  char value[512];
  memset(value, 'x', sizeof value);
  NEED(mkdir("a", 0755) == 0);
  write_text("a/file", "text");
  NEED(setxattr("a/file", "user.long", value, sizeof value, 0) == 0);
  NEED(setxattr("a", "user.none", "", 0, 0) == 0);
  CHECK_NUMBER(copy("a", "b"), 0);
  char copied[512] = "";
  CHECK_NUMBER(getxattr("b/file", "user.long", copied, sizeof copied), (long)sizeof copied);
  CHECK(memcmp(copied, value, sizeof value) == 0);
  CHECK_NUMBER(getxattr("b", "user.none", copied, sizeof copied), 0);
}

/* More than the table of names has room for at first. */
SANDBOX_TEST(copies_hard_links) {
  char name[32], other[32];
  NEED(mkdir("a", 0755) == 0 && mkdir("a/names", 0755) == 0);
  for (int i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "a/%d", i);
    snprintf(other, sizeof other, "a/names/%d", i);
    write_text(name, "%d", i);
    NEED(link(name, other) == 0);
  }
  CHECK_NUMBER(copy("a", "b"), 0);
  for (int i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "b/%d", i);
    snprintf(other, sizeof other, "b/names/%d", i);
    CHECK(stat_of(name).st_ino == stat_of(other).st_ino);
    CHECK_NUMBER(stat_of(name).st_nlink, 2);
    CHECK_NUMBER(atoi(read_line(other)), i);
  }
}

SANDBOX_TEST(copies_holes) {
  NEED(mkdir("a", 0755) == 0);
  write_text("a/holes", "begin");
  NEED(truncate("a/holes", 64 << 20) == 0);
  const int fd = open("a/holes", O_WRONLY);
  NEED(pwrite(fd, "middle", 6, 32 << 20) == 6 && close(fd) == 0);
  CHECK_NUMBER(copy("a", "b"), 0);
  CHECK_NUMBER(stat_of("b/holes").st_size, 64 << 20);
  CHECK_NUMBER(stat_of("b/holes").st_blocks, stat_of("a/holes").st_blocks);
  char text[6] = "";
  const int copied = open("b/holes", O_RDONLY);
  CHECK(pread(copied, text, 6, 32 << 20) == 6 && memcmp(text, "middle", 6) == 0);
  CHECK(pread(copied, text, 6, 0) == 6 && memcmp(text, "begin", 6) == 0);
  CHECK_NUMBER(close(copied), 0);
}

SANDBOX_TEST(names_what_failed) {
  NEED(mkdir("a", 0755) == 0 && mkdir("a/sub", 0755) == 0 && mkdir("b", 0755) == 0);
  write_text("a/sub/file", "text");
  CHECK_NUMBER(copy("a", "b"), -EEXIST);
  CHECK_TEXT(report.call, "make");
  CHECK_TEXT(report.path, "");
  CHECK_NUMBER(copy("none", "c"), -ENOENT);
  CHECK_TEXT(report.call, "open");
  CHECK_NUMBER(access("c", F_OK), -1);
  NEED(mount("tmpfs", "b", "tmpfs", 0, "size=64k") == 0);
  NEED(truncate("a/sub/file", 1 << 20) == 0);
  const int fd = open("a/sub/file", O_WRONLY);
  for (int i = 0; i < 64; i++)
    NEED(pwrite(fd, "x", 1, i << 12) == 1);
  NEED(close(fd) == 0);
  CHECK_NUMBER(copy("a", "b/c"), -ENOSPC);
  CHECK_TEXT(report.call, "write");
  CHECK_TEXT(report.path, "/sub/file");
}

SANDBOX_TEST(copies_no_copy_of_itself) {
  NEED(mkdir("a", 0755) == 0);
  CHECK_NUMBER(copy("a", "a/b"), -ELOOP);
  CHECK_TEXT(report.path, "/b");
}

SANDBOX_TEST(ends_when_it_is_told_to) {
  NEED(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && mkdir("a/c", 0755) == 0);
  report = (struct tree_report){.stop = 1};
  CHECK_NUMBER(rts_tree_copy("a", "d", &report), -ECANCELED);
  report = (struct tree_report){.stop = 1};
  CHECK_NUMBER(rts_tree_remove("a", &report), -ECANCELED);
  CHECK_NUMBER(access("a", F_OK), 0);
}

SANDBOX_TEST(removes_everything_below) {
  NEED(mkdir("a", 0755) == 0 && mkdir("a/sub", 0000) == 0 && mkdir("kept", 0755) == 0);
  write_text("kept/file", "text");
  write_text("a/sub/file", "text");
  NEED(symlink("../kept", "a/link") == 0 && mkfifo("a/fifo", 0600) == 0);
  CHECK_NUMBER(remove_tree("a"), 0);
  CHECK_NUMBER(access("a", F_OK), -1);
  CHECK_TEXT(read_line("kept/file"), "text");
  CHECK_NUMBER(remove_tree("a"), -ENOENT);
  CHECK_TEXT(report.call, "open");
  NEED(symlink("kept", "link") == 0);
  CHECK_NUMBER(remove_tree("link"), -ENOTDIR);
}

/* Deeper than any path is long. */
SANDBOX_TEST(removes_deep_trees) {
  char name[64];
  memset(name, 'd', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  NEED(mkdir("a", 0755) == 0);
  const int start = open(".", O_RDONLY | O_DIRECTORY);
  NEED(chdir("a") == 0);
  for (int i = 0; i < 200; i++)
    NEED(mkdir(name, 0755) == 0 && chdir(name) == 0);
  NEED(fchdir(start) == 0 && close(start) == 0);
  CHECK_NUMBER(copy("a", "b"), 0);
  CHECK_NUMBER(remove_tree("a"), 0);
  CHECK_NUMBER(remove_tree("b"), 0);
  CHECK_NUMBER(access("a", F_OK), -1);
  CHECK_NUMBER(access("b", F_OK), -1);
}

SANDBOX_TEST(leaves_what_is_below_a_mount) {
  NEED(mkdir("a", 0755) == 0 && mkdir("a/sub", 0755) == 0 && mkdir("other", 0755) == 0);
  write_text("other/file", "text");
  NEED(mount("other", "a/sub", NULL, MS_BIND, NULL) == 0);
  CHECK_NUMBER(remove_tree("a"), -EBUSY);
  CHECK_TEXT(report.call, "remove");
  CHECK_TEXT(report.path, "/sub");
  CHECK_TEXT(read_line("other/file"), "text");
  NEED(umount("a/sub") == 0);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(copies_what_files_are),   TEST(copies_attributes),
      TEST(copies_hard_links),       TEST(copies_holes),
      TEST(names_what_failed),       TEST(copies_no_copy_of_itself),
      TEST(ends_when_it_is_told_to), TEST(removes_everything_below),
      TEST(removes_deep_trees),      TEST(leaves_what_is_below_a_mount),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
