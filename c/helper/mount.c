/* Mounts: making and taking them away, looking through some, and asking filesystems. */
#define _GNU_SOURCE 1
#include "mount.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "../common/signals.h"

#define CHILD_STACK 16384

int32_t rts_detach(const char *path) {
  return RETRY(umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW));
}

/* The last error among the messages of a filesystem context: "e tmpfs: Bad value for 'size'". */
static void last_words(int context, char *said, uint32_t size) {
  char line[1024];
  long length;
  *said = '\0';
  while ((length = RETRY(read(context, line, sizeof line))) > 2) {
    if (line[0] != 'e' || line[1] != ' ')
      continue;
    uint32_t count = (uint32_t)length - 2 - (line[length - 1] == '\n');
    if (count >= size)
      count = size - 1;
    memcpy(said, line + 2, count);
    said[count] = '\0';
  }
}

int32_t rts_try_option(const char *type, const char *key, const char *value, char *said,
                       uint32_t size) {
  if (size == 0)
    return -EINVAL;
  *said = '\0';
  CLEANUP_FD int context = kernel_fsopen(type);
  if (context < 0)
    return context;
  unsigned command = value == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
  int error = kernel_fsconfig(context, command, key, value);
  if (error)
    last_words(context, said, size);
  return error;
}

int32_t rts_overlay(const char *layers, const char *upper, const char *work) {
  CLEANUP_FD int context = kernel_fsopen("overlay");
  if (context < 0)
    return context;
  int error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", layers);
  if (error == 0 && !upper)
    error = kernel_fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL);
  if (error == 0 && upper)
    error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "upperdir", upper);
  if (error == 0 && upper)
    error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "workdir", work);
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL);
  return error != 0 ? error : kernel_fsmount(context, 0);
}

int32_t rts_mount(const char *source, const char *target, const char *type, uint64_t flags,
                  const char *data) {
  return RETRY(mount(source, target, type, flags, data));
}

struct mounting {
  const char *directory, *source, *target, *type, *data;
  uint64_t flags;
  int error;
};

static int mount_there(void *data) {
  struct mounting *m = data;
  m->error = RETRY(chdir(m->directory));
  if (m->error == 0)
    m->error = rts_mount(m->source, m->target, m->type, m->flags, m->data);
  return 0;
}

/* The working directory is that of all threads: a child has one of its own. */
int32_t rts_mount_from(const char *directory, const char *source, const char *target,
                       const char *type, uint64_t flags, const char *data) {
  _Alignas(16) char stack[CHILD_STACK];
  struct mounting m = {directory, source, target, type, data, flags, 0};
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the child */
  int pid = clone(mount_there, stack + sizeof stack, CLONE_VM | CLONE_VFORK, &m);
  int error = errno;
  signals_mask(mask);
  if (pid < 0)
    return -error;
  RETRY(waitpid(pid, NULL, __WALL));
  return m.error;
}
