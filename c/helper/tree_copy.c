/* Copying a tree. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

/* A directory that is being copied. */
struct level {
  struct level *up;
  DIR *from;
  int to;
  size_t before; /* length of the path above it */
  struct stat st;
};

struct copy {
  struct tree_path path;
  struct level *level;
  struct tree_links *links;
  int root; /* of the copy */
  struct stat own;
};

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static void close_level(struct copy *copy) {
  struct level *level = copy->level;
  copy->level = level->up;
  closedir(level->from);
  if (level->to != copy->root)
    close(level->to);
  free(level);
}

/* Takes over both descriptors, whatever comes of it. */
static int open_level(struct copy *copy, int from, int to, const struct stat *st, size_t before) {
  struct level *level = malloc(sizeof *level);
  DIR *directory = level ? fdopendir(from) : NULL;
  if (directory) {
    *level = (struct level){copy->level, directory, to, before, *st};
    copy->level = level;
    return 0;
  }
  int error = tree_failed(&copy->path, "open");
  free(level);
  close(from);
  if (to != copy->root)
    close(to);
  return error;
}

static int copy_directory(struct copy *copy, const char *name, const struct stat *st,
                          size_t before) {
  if (st->st_dev == copy->own.st_dev && st->st_ino == copy->own.st_ino)
    return (errno = ELOOP, tree_failed(&copy->path, "copy"));
  int at = copy->level->to;
  if (mkdirat(at, name, 0700) != 0)
    return tree_failed(&copy->path, "make");
  int from = openat(dirfd(copy->level->from), name, DIRECTORY);
  int to = from < 0 ? -1 : openat(at, name, DIRECTORY);
  if (to >= 0)
    return open_level(copy, from, to, st, before);
  int error = tree_failed(&copy->path, from < 0 ? "open" : "make");
  if (from >= 0)
    close(from);
  return error;
}

/* Reading it leaves no trace where that is allowed. */
static int open_file(int at, const char *name) {
  const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int fd = openat(at, name, flags | O_NOATIME);
  return fd < 0 && errno == EPERM ? openat(at, name, flags) : fd;
}

static int copy_file(struct copy *copy, const char *name, const struct stat *st) {
  struct tree_path *path = &copy->path;
  int from = open_file(dirfd(copy->level->from), name);
  if (from < 0)
    return tree_failed(path, "open");
  struct stat opened;
  int error = 0;
  if (fstat(from, &opened) != 0 || opened.st_ino != st->st_ino || opened.st_dev != st->st_dev)
    error = (errno = ESTALE, tree_failed(path, "open"));
  int to = error != 0 ? -1
                      : openat(copy->level->to, name,
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (error == 0 && to < 0)
    error = tree_failed(path, "make");
  if (error == 0)
    error = tree_data(path, from, to, &opened);
  close(from);
  if (to >= 0 && close(to) != 0 && error == 0)
    error = tree_failed(path, "write");
  return error;
}

static int copy_symlink(struct copy *copy, const char *name) {
  char text[TREE_PATH];
  ssize_t length = readlinkat(dirfd(copy->level->from), name, text, sizeof text - 1);
  if (length < 0)
    return tree_failed(&copy->path, "read");
  text[length] = '\0';
  if (symlinkat(text, copy->level->to, name) == 0)
    return 0;
  return tree_failed(&copy->path, "make");
}

/* A file whose other name has been copied gets this one, too: 1. */
static int copy_link(struct copy *copy, const char *name, const struct stat *st) {
  if (st->st_nlink < 2 || copy->path.length >= TREE_PATH)
    return 0;
  int error;
  const char *first = tree_links_find(copy->links, st, copy->path.report->path, &error);
  if (!first)
    return error;
  if (linkat(copy->root, first + 1, copy->level->to, name, 0) == 0)
    return 1;
  return tree_failed(&copy->path, "link");
}

static int copy_other(struct copy *copy, const char *name, const struct stat *st) {
  if (mknodat(copy->level->to, name, st->st_mode, st->st_rdev) == 0)
    return 0;
  return tree_failed(&copy->path, "make");
}

static int copy_name(struct copy *copy, const char *name) {
  struct stat st;
  size_t before = tree_enter(&copy->path, name);
  if (fstatat(dirfd(copy->level->from), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return tree_failed(&copy->path, "look at");
  copy->path.report->files++;
  if (S_ISDIR(st.st_mode))
    return copy_directory(copy, name, &st, before);
  int error = copy_link(copy, name, &st);
  if (error == 0) {
    if (S_ISREG(st.st_mode))
      error = copy_file(copy, name, &st);
    else if (S_ISLNK(st.st_mode))
      error = copy_symlink(copy, name);
    else
      error = copy_other(copy, name, &st);
    if (error == 0)
      error = tree_attributes(&copy->path, dirfd(copy->level->from), copy->level->to, name, &st);
  }
  if (error < 0)
    return error;
  tree_leave(&copy->path, before);
  return 0;
}

/* The times of a directory are those of the last name that came into it: they are set at its end. */
static int end_level(struct copy *copy) {
  struct level *level = copy->level;
  int error = tree_attributes(&copy->path, dirfd(level->from), level->to, ".", &level->st);
  if (error != 0)
    return error;
  tree_leave(&copy->path, level->before);
  close_level(copy);
  return 0;
}

static int copy_all(struct copy *copy) {
  int error = 0;
  while (copy->level && error == 0) {
    const struct dirent *entry = tree_next(copy->level->from);
    if (entry)
      error = copy_name(copy, entry->d_name);
    else
      error = errno != 0 ? tree_failed(&copy->path, "read") : end_level(copy);
    if (error == 0)
      error = tree_stopped(&copy->path);
  }
  while (copy->level)
    close_level(copy);
  return error;
}

int32_t rts_tree_copy(const char *from, const char *to, struct tree_report *report) {
  struct copy copy = {.path = {.report = report}, .root = -1};
  struct stat st;
  int source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (source < 0 || fstat(source, &st) != 0) {
    int failed = tree_failed(&copy.path, "open");
    if (source >= 0)
      close(source);
    return failed;
  }
  int error = 0;
  copy.links = tree_links_make();
  if (!copy.links || mkdir(to, 0700) != 0)
    error = tree_failed(&copy.path, "make");
  else if ((copy.root = open(to, DIRECTORY)) < 0 || fstat(copy.root, &copy.own) != 0)
    error = tree_failed(&copy.path, "make");
  if (error == 0)
    error = open_level(&copy, source, copy.root, &st, 0);
  else
    close(source);
  if (error == 0)
    error = copy_all(&copy);
  if (copy.root >= 0)
    close(copy.root);
  if (copy.links)
    tree_links_free(copy.links);
  return error;
}
