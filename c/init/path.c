/*
 * Paths inside the root filesystem.
 *
 * What exists is opened by openat2(2) with RESOLVE_IN_ROOT. What is missing is made one component
 * at a time below a descriptor that was opened without following symlinks, so a directory that
 * is swapped for a symlink meanwhile leads nowhere else: its target is read and resolved here, from
 * the root. `..` drops the last component of the names that led here and opens those anew.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "fs.h"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
/* As many symlinks as the kernel follows in one path. */
#define LINKS_MAX 40
/* How often a component may vanish or turn into something else while it is being made. */
#define SWAPS_MAX 1024

struct walk {
  int root;
  int fd; /* O_PATH, the directory reached so far */
  int links;
  int swaps;
  char names[PATH_MAX]; /* how it was reached, without symlinks: "a/b"; "" for the root */
  char rest[PATH_MAX];  /* what is still to be resolved */
};

int fd_real_path(const struct init *in, int fd, char *out, size_t size) {
  char name[32];
  snprintf(name, sizeof name, "fd/%d", fd);
  long length = kernel_result(readlinkat(in->self, name, out, size - 1));
  if (length < 0)
    return (int)length;
  out[length] = '\0';
  return 0;
}

/* openat2 with the retries that it asks for. */
static int open_in_root(int root, const char *path, uint64_t flags, uint64_t resolve) {
  if (root < 0)
    return -EBADF;
  for (int i = 0; i < RACES_MAX; i++) {
    int fd = kernel_openat2(root, *path ? path : ".", flags, 0, resolve);
    if (fd != -EAGAIN && fd != -EINTR)
      return fd;
  }
  return -EAGAIN;
}

int path_open(struct init *in, const char *path, int flags) {
  return open_in_root(in->root, path, (uint64_t)(unsigned)flags, IN_ROOT);
}

int path_open_nofollow(struct init *in, const char *path, int flags) {
  return open_in_root(in->root, path, (uint64_t)(unsigned)flags | O_NOFOLLOW, IN_ROOT);
}

bool path_is_redirected(struct init *in, const char *path, int fd) {
  struct statfs fs;
  if (fstatfs(fd, &fs) != 0 || (fs.f_type != MAGIC_PROC && fs.f_type != MAGIC_SYSFS))
    return false;
  const char *own = fs.f_type == MAGIC_PROC ? "/proc/" : "/sys/";
  if (strncmp(path, own, strlen(own)) == 0 && strstr(path, "/..") == NULL)
    return false;
  CLEANUP_FD int direct = open_in_root(in->root, path, O_PATH, IN_ROOT | RESOLVE_NO_SYMLINKS);
  return direct == -ELOOP;
}

bool same_place(int a, int b) {
  struct kernel_statx x, y;
  const unsigned mask = KERNEL_STATX_INO | KERNEL_STATX_MNT_ID;
  if (kernel_statx(a, mask, &x) != 0 || kernel_statx(b, mask, &y) != 0)
    return false;
  return x.ino == y.ino && x.mnt_id == y.mnt_id && x.dev_major == y.dev_major &&
         x.dev_minor == y.dev_minor;
}

/* Takes the next component off `rest`. Gives its length; 0 at the end. */
static size_t walk_next(struct walk *w, char name[NAME_MAX + 1]) {
  const char *start = w->rest + strspn(w->rest, "/");
  size_t length = strcspn(start, "/");
  if (length > NAME_MAX)
    return length;
  memcpy(name, start, length);
  name[length] = '\0';
  memmove(w->rest, start + length, strlen(start + length) + 1);
  return length;
}

/* Whether nothing but slashes is left. */
static bool walk_at_last(const struct walk *w) {
  return w->rest[strspn(w->rest, "/")] == '\0';
}

/* Goes on in the directory `fd`, which is taken over. */
static int walk_enter(struct walk *w, int fd, const char *name) {
  size_t used = strlen(w->names);
  int added = snprintf(w->names + used, sizeof w->names - used, "%s%s", used ? "/" : "", name);
  if (added < 0 || (size_t)added >= sizeof w->names - used) {
    close(fd);
    return -ENAMETOOLONG;
  }
  close(w->fd);
  w->fd = fd;
  return 0;
}

static int walk_up(struct walk *w) {
  char *slash = strrchr(w->names, '/');
  *(slash ? slash : w->names) = '\0';
  int fd = open_in_root(w->root, w->names, O_PATH | O_DIRECTORY, IN_ROOT | RESOLVE_NO_SYMLINKS);
  if (fd < 0)
    return fd;
  close(w->fd);
  w->fd = fd;
  return 0;
}

/* Puts the target of the symlink `fd` in front of what is left. */
static int walk_follow(struct walk *w, int fd) {
  char target[PATH_MAX], rest[PATH_MAX];
  if (++w->links > LINKS_MAX)
    return -ELOOP;
  long length = kernel_result(readlinkat(fd, "", target, sizeof target - 1));
  if (length <= 0)
    return length < 0 ? (int)length : -ENOENT;
  target[length] = '\0';
  memcpy(rest, w->rest, sizeof rest);
  int all = snprintf(w->rest, sizeof w->rest, "%s/%s", target, rest);
  if (all < 0 || (size_t)all >= sizeof w->rest)
    return -ENAMETOOLONG;
  if (target[0] != '/')
    return 0;
  w->names[0] = '\0';
  int root = open_in_root(w->root, "", O_PATH | O_DIRECTORY, IN_ROOT);
  if (root < 0)
    return root;
  close(w->fd);
  w->fd = root;
  return 0;
}

static int make_directory(int at, const char *name, mode_t mode) {
  mode_t mask = umask(0);
  int result = (int)kernel_result(mkdirat(at, name, mode));
  umask(mask);
  return result;
}

static int make_file(int at, const char *name) {
  mode_t mask = umask(0);
  const int flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY;
  int fd = (int)RETRY(openat(at, name, flags, 0644));
  umask(mask);
  if (fd < 0)
    return fd;
  close(fd);
  return 0;
}

/*
 * Opens one component below the walk's directory, making it if it is missing. `mode`: of a new
 * directory; 0 for a file. An O_PATH descriptor, perhaps of a symlink.
 */
static int walk_open(struct walk *w, const char *name, mode_t mode) {
  while (++w->swaps < SWAPS_MAX) {
    int fd = (int)RETRY(openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (fd != -ENOENT)
      return fd;
    int made = mode ? make_directory(w->fd, name, mode) : make_file(w->fd, name);
    if (made < 0 && made != -EEXIST)
      return made;
  }
  return -EBUSY;
}

/* One component. Gives 1 when the walk is over and `*result` is set, 0 to go on, or -errno. */
static int walk_step(struct walk *w, bool want_file, mode_t mode, const char *name, int *result) {
  bool last = walk_at_last(w);
  bool file = last && want_file;
  if (strcmp(name, ".") == 0)
    return 0;
  if (strcmp(name, "..") == 0)
    return walk_up(w);
  struct stat st;
  int fd = walk_open(w, name, file ? 0 : last ? mode : 0755);
  if (fd < 0)
    return fd;
  int error = 0;
  if (fstat(fd, &st) != 0)
    error = -errno;
  else if (S_ISLNK(st.st_mode))
    error = walk_follow(w, fd);
  else if (S_ISDIR(st.st_mode))
    return walk_enter(w, fd, name);
  else if (file) {
    *result = fd;
    return 1;
  } else
    error = -ENOTDIR;
  close(fd);
  return error;
}

/* Resolves `path`, making what is missing. An O_PATH descriptor, or -errno. */
static int walk_once(int root, const char *path, bool want_file, mode_t mode) {
  struct walk w = {.root = root};
  char name[NAME_MAX + 1];
  if (strlen(path) >= sizeof w.rest)
    return -ENAMETOOLONG;
  strcpy(w.rest, path);
  w.fd = open_in_root(root, "", O_PATH | O_DIRECTORY, IN_ROOT);
  if (w.fd < 0)
    return w.fd;
  for (;;) {
    size_t length = walk_next(&w, name);
    if (length == 0)
      return w.fd;
    int result = -1;
    int step = length > NAME_MAX ? -ENAMETOOLONG : walk_step(&w, want_file, mode, name, &result);
    if (step == 0)
      continue;
    close(w.fd);
    return step < 0 ? step : result;
  }
}

/* In a directory that somebody else has removed meanwhile nothing can be made. */
static int walk(int root, const char *path, bool want_file, mode_t mode) {
  int fd = -ENOENT;
  for (int i = 0; i < RACES_MAX && fd == -ENOENT; i++)
    fd = walk_once(root, path, want_file, mode);
  return fd;
}

int path_make_directory(struct init *in, const char *path, unsigned mode) {
  int fd = path_open(in, path, O_PATH | O_DIRECTORY);
  return fd == -ENOENT ? walk(in->root, path, false, mode) : fd;
}

int path_make_directories(struct init *in, const char *path) {
  return path_make_directory(in, path, 0755);
}

int path_make_file(struct init *in, const char *path) {
  int fd = path_open(in, path, O_PATH);
  return fd == -ENOENT ? walk(in->root, path, true, 0755) : fd;
}

int path_open_parent(struct init *in, const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  char parent[PATH_MAX];
  size_t length = slash ? (size_t)(slash - path) : 0;
  *name = slash ? slash + 1 : path;
  if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
    return -EINVAL;
  if (length >= sizeof parent)
    return -ENAMETOOLONG;
  memcpy(parent, path, length);
  parent[length] = '\0';
  return path_make_directories(in, parent);
}

int path_make_nofollow(struct init *in, const char *path, bool directory) {
  struct walk w = {.root = in->root};
  const char *name;
  w.fd = path_open_parent(in, path, &name);
  if (w.fd < 0)
    return w.fd;
  int fd = walk_open(&w, name, directory ? 0755 : 0);
  close(w.fd);
  return fd;
}
