/* New filesystems, and changes of their superblocks: fsopen(2), fsconfig(2), fsmount(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fs.h"

/* Appends what the filesystem says about the failure: "e tmpfs: Bad value for 'size'". */
static void add_messages(struct init *in, int context) {
  char line[1024];
  long length;
  while ((length = RETRY(read(context, line, sizeof line - 1))) > 2) {
    if (line[length - 1] == '\n')
      length--;
    line[length] = '\0';
    if (line[0] == 'e' && line[1] == ' ')
      detail_add(in, ": %s", line + 2);
  }
}

/* One parameter, `key` or `key=value`. fsconfig(2) takes no quotes around a security label. */
static int set_parameter(int context, const char *parameter) {
  char key[256], value[PATH_MAX];
  const char *equals = strchr(parameter, '=');
  if (equals == NULL)
    return kernel_fsconfig(context, FSCONFIG_SET_FLAG, parameter, NULL);
  size_t length = (size_t)(equals - parameter), quoted = strlen(equals + 1);
  if (length >= sizeof key || quoted >= sizeof value)
    return -EINVAL;
  memcpy(key, parameter, length);
  key[length] = '\0';
  strcpy(value, equals + 1);
  if (quoted >= 2 && value[0] == '"' && value[quoted - 1] == '"') {
    memmove(value, value + 1, quoted - 2);
    value[quoted - 2] = '\0';
  }
  return kernel_fsconfig(context, FSCONFIG_SET_STRING, key, value);
}

static int set_all(int context, const struct mount_request *r, bool writable) {
  for (const char **flag = r->superblock; *flag; flag++) {
    if (writable && strcmp(*flag, "ro") == 0)
      continue;
    int error = kernel_fsconfig(context, FSCONFIG_SET_FLAG, *flag, NULL);
    if (error)
      return error;
  }
  for (const char **parameter = r->data; *parameter; parameter++) {
    int error = set_parameter(context, *parameter);
    if (error)
      return error;
  }
  return 0;
}

static int set_source_and_mode(int context, const struct mount_request *r, int root_mode) {
  if (*r->source) {
    int error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "source", r->source);
    if (error)
      return error;
  }
  if (root_mode < 0)
    return 0;
  char mode[16];
  snprintf(mode, sizeof mode, "%o", (unsigned)root_mode & 07777);
  return kernel_fsconfig(context, FSCONFIG_SET_STRING, "mode", mode);
}

int fs_create(struct init *in, const struct mount_request *r, int root_mode, bool writable,
              int place) {
  CLEANUP_FD int context = kernel_fsopen(r->fstype);
  if (context == -ENODEV) {
    mount_fail(in, r, context);
    detail_add(in, ": the kernel has no filesystem \"%s\"", r->fstype);
    return context;
  }
  if (context < 0)
    return mount_fail(in, r, context);
  int error = set_source_and_mode(context, r, root_mode);
  if (error == 0)
    error = set_all(context, r, writable);
  if (error == -EINVAL) {
    /* Values above 255 bytes, and flags that only mount(2) knows. */
    int tree = legacy_create(r, root_mode, writable, place);
    if (tree >= 0)
      return tree;
  }
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL);
  if (error == 0) {
    uint64_t attributes = writable ? 0 : r->attr_set & FSMOUNT_ATTRIBUTES;
    error = kernel_fsmount(context, (unsigned)attributes);
    if (error >= 0)
      return error;
  }
  mount_fail(in, r, error);
  add_messages(in, context);
  return error;
}

int fs_reconfigure(struct init *in, const struct mount_request *r, int mount) {
  CLEANUP_FD int context = kernel_fspick(mount);
  if (context < 0) {
    mount_fail(in, r, context);
    if (context == -EINVAL)
      detail_add(in, ": nothing is mounted there");
    return context;
  }
  int error = set_all(context, r, false);
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL);
  if (error == 0)
    return 0;
  mount_fail(in, r, error);
  add_messages(in, context);
  return error;
}
