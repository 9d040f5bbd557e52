/* What copying and removing share, and removing. */
#define _GNU_SOURCE 1
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t tree_enter(struct tree_path *path, const char *name) {
  size_t before = path->length, length = strlen(name);
  char *text = path->report->path;
  if (before + 1 + length < TREE_PATH) {
    text[before] = '/';
    memcpy(text + before + 1, name, length + 1);
  }
  path->length = before + 1 + length;
  return before;
}

void tree_leave(struct tree_path *path, size_t length) {
  path->length = length;
  if (length < TREE_PATH)
    path->report->path[length] = '\0';
}

int tree_failed(struct tree_path *path, const char *call) {
  int error = errno;
  char *said = path->report->call;
  if (said[0] == '\0')
    strncpy(said, call, TREE_CALL - 1);
  return -error;
}

int tree_stopped(struct tree_path *path) {
  return __atomic_load_n(&path->report->stop, __ATOMIC_RELAXED) ? -ECANCELED : 0;
}

struct dirent *tree_next(DIR *directory) {
  struct dirent *entry;
  do {
    errno = 0;
    entry = readdir(directory);
  } while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
  return entry;
}

/* A directory that is being emptied. */
struct level {
  struct level *up;
  DIR *directory;
  size_t before; /* length of the path above it */
  char name[];
};

/* The mount that a file is on, or its device where the kernel does not tell. */
static int mount_of(int fd, uint64_t *mount) {
  struct statx st;
  if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st) != 0)
    return -errno;
  *mount = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id
                                      : ((uint64_t)st.stx_dev_major << 32) + st.stx_dev_minor;
  return 0;
}

static struct level *level_open(struct tree_path *path, struct level *up, int at, const char *name,
                                uint64_t *mount) {
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  size_t length = strlen(name);
  struct level *level = fd < 0 ? NULL : malloc(sizeof *level + length + 1);
  uint64_t own;
  if (level && mount_of(fd, &own) == 0) {
    if (!up)
      *mount = own;
    level->directory = own == *mount ? fdopendir(fd) : NULL;
    if (own != *mount)
      errno = EBUSY;
    if (level->directory) {
      memcpy(level->name, name, length + 1);
      level->up = up;
      level->before = up ? tree_enter(path, name) : path->length;
      return level;
    }
  }
  int error = errno;
  free(level);
  if (fd >= 0)
    close(fd);
  errno = error;
  return NULL;
}

static void level_close(struct level *level) {
  closedir(level->directory);
  free(level);
}

/* Removes one name of the innermost directory, or goes into it. */
static int remove_name(struct tree_path *path, struct level **level, const struct dirent *entry,
                       uint64_t *mount) {
  int at = dirfd((*level)->directory);
  path->report->files++;
  if (entry->d_type != DT_DIR && unlinkat(at, entry->d_name, 0) == 0)
    return 0;
  struct level *below = NULL;
  if (entry->d_type == DT_DIR || errno == EISDIR || errno == EPERM) {
    int error = entry->d_type == DT_DIR ? 0 : errno;
    below = level_open(path, *level, at, entry->d_name, mount);
    if (!below && errno == ENOTDIR && error != 0)
      errno = error;
  }
  if (below) {
    *level = below;
    return 0;
  }
  if (errno == ENOENT)
    return 0;
  tree_enter(path, entry->d_name);
  return tree_failed(path, "remove");
}

/* Goes back up out of a directory that is empty. */
static int remove_level(struct tree_path *path, struct level **level, const char *whole) {
  struct level *done = *level, *up = done->up;
  int result = up ? unlinkat(dirfd(up->directory), done->name, AT_REMOVEDIR) : rmdir(whole);
  if (result != 0 && errno != ENOENT)
    return tree_failed(path, "remove");
  tree_leave(path, done->before);
  level_close(done);
  *level = up;
  return 0;
}

int32_t rts_tree_remove(const char *whole, struct tree_report *report) {
  struct tree_path path = {.report = report};
  uint64_t mount = 0;
  struct level *level = level_open(&path, NULL, AT_FDCWD, whole, &mount);
  if (!level)
    return tree_failed(&path, "open");
  int error = 0;
  while (level && error == 0) {
    const struct dirent *entry = tree_next(level->directory);
    if (entry)
      error = remove_name(&path, &level, entry, &mount);
    else
      error = errno != 0 ? tree_failed(&path, "read") : remove_level(&path, &level, whole);
    if (error == 0 && level)
      error = tree_stopped(&path);
  }
  while (level) {
    struct level *up = level->up;
    level_close(level);
    level = up;
  }
  return error;
}
