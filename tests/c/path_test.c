/*
 * Paths inside a root: what is made and opened, and that nothing leads out of it. path.c is
 * included, so that its own resolution can be compared with the kernel's.
 * links: c/init/explain.c c/init/procfs.c
 */
#include "../../c/init/path.c"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <sys/wait.h>

#include "../support/c/test.h"

#define RENAME_EXCHANGE_FLAG 2 /* renameat2(2) */

static char base[64]; /* holds "root" and "outside" */
static struct init in;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

static int count_entries(const char *path) {
  int count = 0;
  DIR *directory = opendir(path);
  NEED(directory);
  while (readdir(directory))
    count++;
  closedir(directory);
  return count - 2;
}

static int outside_entries(void) {
  char path[128];
  snprintf(path, sizeof path, "%s/outside", base);
  return count_entries(path);
}

static void set_up(void) {
  strcpy(base, "/tmp/runts-path-XXXXXX");
  NEED(mkdtemp(base));
  NEED(chmod(base, 0755) == 0 && chdir(base) == 0);
  NEED(mkdir("root", 0755) == 0 && mkdir("outside", 0755) == 0 && chdir("root") == 0);
  in = (struct init){.root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  NEED(in.root >= 0);
}

static void tear_down(void) {
  CHECK_NUMBER(outside_entries(), 0);
  close(in.root);
  NEED(chdir("/") == 0);
  nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A test that starts in an empty root, and has to close what it opens. */
#define IN_ROOT_TEST(name)                                \
  static void body_##name(void);                          \
  static void name(void) {                                \
    const int before = count_entries("/proc/self/fd");    \
    set_up();                                             \
    body_##name();                                        \
    tear_down();                                          \
    CHECK_NUMBER(count_entries("/proc/self/fd"), before); \
  }                                                       \
  static void body_##name(void)

/* What the descriptor is open on, below the root; closes it. */
static const char *place(int fd) {
  static char link[PATH_MAX + 32];
  char name[32], root[128];
  if (fd < 0) {
    snprintf(link, sizeof link, "error %d", -fd);
    return link;
  }
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(name, link, sizeof link - 1);
  NEED(length > 0);
  link[length] = '\0';
  close(fd);
  snprintf(root, sizeof root, "%s/root", base);
  if (strncmp(link, root, strlen(root)) != 0)
    return link;
  memmove(link, link + strlen(root), strlen(link + strlen(root)) + 1);
  return link;
}

static unsigned mode_of(const char *path) {
  struct stat st;
  NEED(lstat(path, &st) == 0);
  return st.st_mode & 07777;
}

IN_ROOT_TEST(opens_what_is_there) {
  NEED(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && symlink("/a", "abs") == 0);
  CHECK_TEXT(place(path_open(&in, "/a/b", O_PATH)), "/a/b");
  CHECK_TEXT(place(path_open(&in, "a/../abs/b/.", O_PATH)), "/a/b");
  CHECK_TEXT(place(path_open(&in, "/", O_PATH)), "");
  CHECK_TEXT(place(path_open(&in, "", O_PATH)), "");
  CHECK_TEXT(place(path_open(&in, "/../../..", O_PATH)), "");
  CHECK_TEXT(place(path_open_nofollow(&in, "abs", O_PATH)), "/abs");
  CHECK_NUMBER(path_open_nofollow(&in, "abs", O_RDONLY), -ELOOP);
  CHECK_NUMBER(path_open(&in, "/a/c", O_PATH), -ENOENT);
}

IN_ROOT_TEST(opens_nothing_outside) {
  char target[128];
  snprintf(target, sizeof target, "%s/outside", base);
  NEED(symlink(target, "abs") == 0 && symlink("../outside", "rel") == 0);
  CHECK_NUMBER(path_open(&in, "abs", O_PATH), -ENOENT);
  CHECK_NUMBER(path_open(&in, "rel", O_PATH), -ENOENT);
  CHECK_NUMBER(path_open(&in, "../outside", O_PATH), -ENOENT);
}

IN_ROOT_TEST(refuses_magic_links) {
  struct init host = {.root = open("/", O_PATH | O_CLOEXEC)};
  CHECK_NUMBER(path_open(&host, "/proc/self/cwd", O_PATH), -ELOOP);
  CHECK_NUMBER(path_make_directories(&host, "/proc/self/cwd/new"), -ELOOP);
  close(host.root);
}

IN_ROOT_TEST(refuses_to_work_without_a_root) {
  struct init none = {.root = -1};
  CHECK_NUMBER(path_open(&none, "/", O_PATH), -EBADF);
  CHECK_NUMBER(path_make_directories(&none, "/runts-no-root"), -EBADF);
  CHECK_NUMBER(path_make_file(&none, "/runts-no-root"), -EBADF);
  CHECK(access("/runts-no-root", F_OK) != 0);
}

IN_ROOT_TEST(makes_directories_of_mode_0755) {
  mode_t mask = umask(077);
  CHECK_TEXT(place(path_make_directories(&in, "/a/b//c/")), "/a/b/c");
  CHECK_NUMBER(umask(mask), 077);
  CHECK_NUMBER(mode_of("a"), 0755);
  CHECK_NUMBER(mode_of("a/b/c"), 0755);
  CHECK_TEXT(place(path_make_directory(&in, "/d/e", 01711)), "/d/e");
  CHECK_NUMBER(mode_of("d"), 0755);
  CHECK_NUMBER(mode_of("d/e"), 01711);
  CHECK_TEXT(place(path_make_directory(&in, "/d/e", 0700)), "/d/e");
  CHECK_NUMBER(mode_of("d/e"), 01711);
}

IN_ROOT_TEST(directories_inherit_setgid) {
  NEED(mkdir("a", 0755) == 0 && chmod("a", 02755) == 0);
  CHECK_TEXT(place(path_make_directories(&in, "/a/b/c")), "/a/b/c");
  CHECK_NUMBER(mode_of("a/b/c"), 02755);
}

IN_ROOT_TEST(makes_files) {
  mode_t mask = umask(077);
  CHECK_TEXT(place(path_make_file(&in, "/a/file")), "/a/file");
  umask(mask);
  CHECK_NUMBER(mode_of("a/file"), 0644);
  CHECK_TEXT(place(path_make_file(&in, "/a/file")), "/a/file");
  CHECK_TEXT(place(path_make_file(&in, "/a")), "/a");
  CHECK_NUMBER(path_make_file(&in, "/a/file/x"), -ENOTDIR);
  CHECK_NUMBER(path_make_directories(&in, "/a/file/x"), -ENOTDIR);
  CHECK_NUMBER(path_make_directories(&in, "/a/file"), -ENOTDIR);
}

IN_ROOT_TEST(dangling_symlinks_are_made_inside) {
  char target[128];
  snprintf(target, sizeof target, "%s/outside/x", base);
  NEED(symlink(target, "abs") == 0 && symlink("../../outside/y", "rel") == 0);
  NEED(symlink("rel/file", "file") == 0);
  CHECK_TEXT(place(path_make_directories(&in, "/rel/sub")), "/outside/y/sub");
  CHECK_TEXT(place(path_make_file(&in, "/file")), "/outside/y/file");
  snprintf(target, sizeof target, "%s/outside/x/sub", base);
  CHECK_TEXT(place(path_make_directories(&in, "abs/sub")), target);
}

IN_ROOT_TEST(follows_dots_as_the_kernel_does) {
  NEED(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && symlink("a/b", "link") == 0);
  CHECK_TEXT(place(path_make_directories(&in, "/link/../new")), "/a/new");
  CHECK_TEXT(place(path_make_directories(&in, "/x/../../../y/./z")), "/y/z");
  CHECK_TEXT(place(path_make_file(&in, "../../../f")), "/f");
}

IN_ROOT_TEST(gives_up_on_loops_and_lengths) {
  char name[NAME_MAX + 2], path[2 * PATH_MAX];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  NEED(symlink("loop", "loop") == 0 && symlink("b", "a") == 0 && symlink("a/x", "b") == 0);
  CHECK_NUMBER(path_make_directories(&in, "/loop/x"), -ELOOP);
  CHECK_NUMBER(path_make_directories(&in, "/a/x"), -ELOOP);
  CHECK_NUMBER(path_make_directories(&in, name), -ENAMETOOLONG);
  CHECK_NUMBER(path_make_file(&in, name), -ENAMETOOLONG);
  memset(path, '/', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  CHECK_NUMBER(path_make_directories(&in, path), -ENAMETOOLONG);
  for (int i = 0; i < 60; i++) {
    snprintf(name, sizeof name, "l%d", i + 1);
    snprintf(path, sizeof path, "l%d", i);
    NEED(symlink(name, path) == 0);
  }
  CHECK_TEXT(place(path_make_directories(&in, "/l25")), "/l60");
  CHECK_NUMBER(rmdir("l60"), 0);
  CHECK_NUMBER(path_make_directories(&in, "/l0"), -ELOOP);
}

IN_ROOT_TEST(opens_parents) {
  const char *name = NULL;
  CHECK_TEXT(place(path_open_parent(&in, "/a/b/c", &name)), "/a/b");
  CHECK_TEXT(name, "c");
  CHECK_TEXT(place(path_open_parent(&in, "file", &name)), "");
  CHECK_TEXT(name, "file");
  CHECK_TEXT(place(path_open_parent(&in, "/file", &name)), "");
  const char *const bad[] = {"", "/", "a/", "a/.", "a/..", ".", ".."};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK_NUMBER(path_open_parent(&in, bad[i], &name), -EINVAL);
}

IN_ROOT_TEST(makes_without_following) {
  NEED(symlink("nowhere", "link") == 0);
  CHECK_TEXT(place(path_make_nofollow(&in, "/link", true)), "/link");
  CHECK_TEXT(place(path_make_nofollow(&in, "/d/e", true)), "/d/e");
  CHECK_TEXT(place(path_make_nofollow(&in, "/d/f", false)), "/d/f");
  CHECK_NUMBER(access("nowhere", F_OK), -1);
}

static void check_explained(const char *path, int error, const char *wanted) {
  in.detail[0] = '\0';
  in.detail_length = 0;
  CHECK_NUMBER(explain_path(&in, in.root, path, error), error);
  CHECK_TEXT(in.detail, wanted);
  CHECK_NUMBER((long long)in.detail_length, (long long)strlen(wanted));
}

IN_ROOT_TEST(explains_what_refuses) {
  NEED(mkdir("a", 0755) == 0 && symlink("/gone", "a/link") == 0 && symlink("loop", "loop") == 0);
  close(open("a/file", O_CREAT | O_WRONLY, 0644));
  check_explained("/a/b/c", -ENOENT, ": \"/a/b\" does not exist");
  check_explained("a/file/c", -ENOTDIR, ": \"a/file\" is a regular file, not a directory");
  check_explained("/a/link/c", -ENOENT,
                  ": \"/a/link\" is a symlink to \"/gone\", which does not exist");
  check_explained("/loop/c", -ELOOP,
                  ": \"/loop\" is a symlink to \"loop\" that cannot be followed");
  check_explained("/a/file", -EBUSY, "");
  memset(in.detail, 'x', sizeof in.detail);
  in.detail[sizeof in.detail - 4] = '\0';
  in.detail_length = sizeof in.detail - 4;
  explain_path(&in, in.root, "/gone", -ENOENT);
  CHECK_NUMBER((long long)in.detail_length, (long long)sizeof in.detail - 1);
}

static unsigned pick(unsigned bound) {
  static unsigned state = 20240229;
  state = state * 1103515245u + 12345u;
  return (state >> 16) % bound;
}

static void random_path(char *out, size_t size) {
  static const char *const parts[] = {"a", "b", "c", "d", "..", ".", "a", "b", ""};
  size_t used = (size_t)snprintf(out, size, "%s", pick(2) ? "/" : "");
  for (unsigned n = 1 + pick(6); n > 0; n--)
    used += (size_t)snprintf(out + used, size - used, "%s/", parts[pick(9)]);
  if (used > 1 && pick(2))
    out[used - 1] = '\0';
}

/* A tree of random directories, files and symlinks among few names. */
static void random_tree(void) {
  char path[128], target[128];
  for (int i = 0; i < 40; i++) {
    random_path(path, sizeof path);
    random_path(target, sizeof target);
    const char *name;
    CLEANUP_FD int parent = path_open_parent(&in, path, &name);
    if (parent < 0)
      continue;
    if (pick(2))
      (void)!symlinkat(target, parent, name);
    else
      (void)mkdirat(parent, name, 0755);
  }
}

IN_ROOT_TEST(resolves_as_the_kernel_does) {
  char path[128];
  int compared = 0;
  for (int tree = 0; tree < 60; tree++) {
    tear_down();
    set_up();
    random_tree();
    for (int i = 0; i < 100; i++) {
      random_path(path, sizeof path);
      const bool file = i % 2;
      CLEANUP_FD int kernel = path_open(&in, path, O_PATH | O_DIRECTORY);
      CLEANUP_FD int own = walk(in.root, path, file, 0755);
      CLEANUP_FD int after = path_open(&in, path, O_PATH);
      if (kernel >= 0 && own >= 0)
        compared++;
      CHECK(kernel < 0 || own < 0 || same_place(kernel, own));
      /* What was made is what the path now leads to; "a/" may be a file here alone. */
      const bool slash = file && after == -ENOTDIR;
      CHECK(own < 0 || slash || after == -ELOOP || same_place(own, after));
      CHECK(kernel < 0 || own >= 0 || own == -ELOOP);
    }
  }
  CHECK(compared > 1000);
}

/* Swaps the directory "swap" and a symlink to the outside for each other, without end. */
static pid_t start_swapping(const char *target) {
  NEED(mkdir("swap", 0755) == 0 && symlink(target, "other") == 0);
  pid_t pid = fork();
  NEED(pid >= 0);
  while (pid == 0)
    syscall(SYS_renameat2, AT_FDCWD, "swap", AT_FDCWD, "other", RENAME_EXCHANGE_FLAG);
  return pid;
}

IN_ROOT_TEST(swapped_directories_lead_nowhere) {
  char path[64];
  pid_t pid = start_swapping("../../../../../../outside");
  int made = 0;
  for (int i = 0; i < 500; i++) {
    snprintf(path, sizeof path, "/swap/d%d/e", i);
    int fd = path_make_directories(&in, path);
    made += fd >= 0;
    if (fd >= 0)
      close(fd);
    snprintf(path, sizeof path, "/swap/f%d", i);
    fd = path_make_file(&in, path);
    if (fd >= 0)
      close(fd);
    const char *name;
    snprintf(path, sizeof path, "/swap/p%d/../q%d/x", i, i);
    fd = path_open_parent(&in, path, &name);
    if (fd >= 0)
      close(fd);
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  CHECK(made > 0);
  CHECK_NUMBER(outside_entries(), 0);
}

IN_ROOT_TEST(swapped_absolute_links_lead_nowhere) {
  char target[128], path[64];
  snprintf(target, sizeof target, "%s/outside", base);
  pid_t pid = start_swapping(target);
  for (int i = 0; i < 500; i++) {
    snprintf(path, sizeof path, "/swap/d%d/e", i);
    int fd = path_make_file(&in, path);
    if (fd >= 0)
      close(fd);
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  CHECK_NUMBER(outside_entries(), 0);
}

static const struct test tests[] = {
    TEST(opens_what_is_there),
    TEST(opens_nothing_outside),
    TEST(refuses_magic_links),
    TEST(refuses_to_work_without_a_root),
    TEST(makes_directories_of_mode_0755),
    TEST(directories_inherit_setgid),
    TEST(makes_files),
    TEST(dangling_symlinks_are_made_inside),
    TEST(follows_dots_as_the_kernel_does),
    TEST(gives_up_on_loops_and_lengths),
    TEST(opens_parents),
    TEST(makes_without_following),
    TEST(explains_what_refuses),
    TEST(resolves_as_the_kernel_does),
    TEST(swapped_directories_lead_nowhere),
    TEST(swapped_absolute_links_lead_nowhere),
};

int main(int argc, char **argv) {
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
