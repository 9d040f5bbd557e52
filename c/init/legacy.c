/*
 * New filesystems by mount(2), for what fsconfig(2) cannot express: values above 255 bytes, the
 * flags silent and iversion, options with commas in them.
 *
 * mount(2) attaches what it makes, so it is given a directory in a tmpfs of our own, which lies on
 * the mount point for this moment; a clone of the new mount is what the caller gets.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"

#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

static const struct {
  const char *word;
  unsigned long flag; /* 0: a word that clears one */
} words[] = {
    {"ro", MS_RDONLY},
    {"rw", 0},
    {"sync", MS_SYNCHRONOUS},
    {"async", 0},
    {"mand", MS_MANDLOCK},
    {"nomand", 0},
    {"dirsync", MS_DIRSYNC},
    {"silent", MS_SILENT},
    {"loud", 0},
    {"iversion", MS_I_VERSION},
    {"noiversion", 0},
    {"lazytime", MS_LAZYTIME},
    {"nolazytime", 0},
};

/* Adds one option to the text that mount(2) takes; labels may hold commas, so they are quoted. */
static void add_option(char *data, size_t size, const char *option) {
  size_t used = strlen(data);
  const char *comma = used ? "," : "", *equals = strchr(option, '=');
  size_t key = equals ? (size_t)(equals - option) : 0;
  bool label = key >= 7 && strncmp(equals - 7, "context", 7) == 0 && equals[1] != '"';
  if (label)
    snprintf(data + used, size - used, "%s%.*s=\"%s\"", comma, (int)key, option, equals + 1);
  else
    snprintf(data + used, size - used, "%s%s", comma, option);
}

/* Attributes are set afterwards: mount(2) would make the superblock read-only too. */
static unsigned long flags_of(const struct mount_request *r, bool writable, char *data,
                              size_t size) {
  unsigned long flags = 0;
  for (const char **flag = r->superblock; *flag; flag++) {
    size_t i = 0, count = sizeof words / sizeof *words;
    while (i < count && strcmp(words[i].word, *flag) != 0)
      i++;
    if (i < count)
      flags |= words[i].flag;
    else
      add_option(data, size, *flag);
  }
  return writable ? flags & ~(unsigned long)MS_RDONLY : flags;
}

/* A private tmpfs with a directory "m" in it. */
static int make_stage(int place) {
  CLEANUP_FD int context = kernel_fsopen("tmpfs");
  if (context < 0)
    return context;
  int error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "mode", "0700");
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL);
  int stage = error ? error : kernel_fsmount(context, 0);
  if (stage < 0)
    return stage;
  error = (int)kernel_result(mkdirat(stage, "m", 0700));
  if (error == 0)
    error = kernel_move_mount(stage, place);
  if (error == 0)
    return stage;
  close(stage);
  return error;
}

/* Mounts on "m", the working directory being elsewhere again afterwards. */
static int mount_and_clone(int stage, const struct mount_request *r, unsigned long flags,
                           const char *data) {
  CLEANUP_FD int m = (int)kernel_result(openat(stage, "m", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (m < 0)
    return m;
  if (fchdir(m) != 0 || mount(*r->source ? r->source : "none", ".", r->fstype, flags, data) != 0)
    return -errno;
  return kernel_open_tree(stage, "m", OPEN_TREE_CLONE);
}

static int set_attributes(const struct mount_request *r, int tree) {
  struct kernel_mount_attr attr = {.set = r->attr_set & FSMOUNT_ATTRIBUTES};
  if (attr.set & MOUNT_ATTR__ATIME)
    attr.clear = MOUNT_ATTR__ATIME;
  int error = kernel_mount_setattr(tree, 0, &attr);
  if (error == 0)
    return tree;
  close(tree);
  return error;
}

static int stage_and_mount(const struct mount_request *r, unsigned long flags, const char *data,
                           int place) {
  CLEANUP_FD int cwd = (int)kernel_result(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (cwd < 0)
    return cwd;
  CLEANUP_FD int stage = make_stage(place);
  if (stage < 0)
    return stage;
  int tree = mount_and_clone(stage, r, flags, data);
  if (fchdir(stage) == 0 && umount2(".", MNT_DETACH) == 0 && fchdir(cwd) == 0)
    return tree;
  int error = -errno;
  if (tree >= 0)
    close(tree);
  return error;
}

int legacy_create(const struct mount_request *r, int root_mode, bool writable, int place) {
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  char *data = calloc(1, size);
  if (data == NULL)
    return -ENOMEM;
  unsigned long flags = flags_of(r, writable, data, size);
  if (root_mode >= 0) {
    char mode[16];
    snprintf(mode, sizeof mode, "mode=%o", (unsigned)root_mode & 07777);
    add_option(data, size, mode);
  }
  for (const char **option = r->data; *option; option++)
    add_option(data, size, *option);
  bool complete = strlen(data) < size - 1;
  int tree = complete ? stage_and_mount(r, flags, data, place) : -E2BIG;
  free(data);
  return tree < 0 || writable ? tree : set_attributes(r, tree);
}
