/*
 * The procfs that init works with: the host's, as it was before any namespace was entered. What is
 * mounted over its files counts for nothing: init mounts a procfs of its own, attached to no place.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fs.h"

#define PROC_ROOT_INODE 1
#define PROC "/proc/"
#define IN_PROC (RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS)

bool is_procfs_root(int fd) {
  struct statfs fs;
  struct stat file;
  return fstatfs(fd, &fs) == 0 && fs.f_type == MAGIC_PROC && fstat(fd, &file) == 0 &&
         file.st_ino == PROC_ROOT_INODE;
}

/* A user namespace gets one only where it sees another that nothing covers (EPERM). */
static int make_procfs(void) {
  const unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  int context = kernel_fsopen("proc");
  if (context < 0)
    return context;
  int proc = kernel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL);
  if (proc == 0)
    proc = kernel_fsmount(context, attributes);
  close(context);
  return proc;
}

int root_of_self(const struct init *in) {
  const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
  return kernel_openat2(in->self, "..", flags, 0, RESOLVE_NO_XDEV);
}

/* What is mounted on /proc, if that is a procfs. */
static int open_procfs(void) {
  int proc = (int)RETRY(open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (proc >= 0 && is_procfs_root(proc))
    return proc;
  if (proc >= 0)
    close(proc);
  return make_procfs();
}

void self_open(struct init *in) {
  self_open_in(in, open_procfs());
}

/*
 * "self" is looked up in the same procfs again: its root is not affected by the mounts that were
 * joined or made since, and procfs names the process as seen from its own pid namespace.
 */
void self_open_in(struct init *in, int proc) {
  if (in->self >= 0)
    close(in->self);
  in->self = -1;
  if (proc < 0)
    return;
  int self =
      is_procfs_root(proc) ? kernel_openat2(proc, "self", O_PATH | O_DIRECTORY, 0, IN_PROC) : -1;
  if (self >= 0)
    in->self = self;
  close(proc);
}

/* Opens a path of /proc in that procfs; -EXDEV where something is mounted on the way. */
static int open_below(int proc, const char *path, int flags) {
  return proc < 0 ? proc : kernel_openat2(proc, path + strlen(PROC), flags, 0, IN_PROC);
}

static int open_in_proc(const struct init *in, const char *path, int flags) {
  if (in->procfs >= 0)
    return open_below(in->procfs, path, flags);
  int proc = root_of_self(in);
  int fd = open_below(proc, path, flags);
  if (proc >= 0)
    close(proc);
  return fd;
}

static bool is_in_proc(const struct init *in, const char *path) {
  return in->self >= 0 && strncmp(path, PROC, strlen(PROC)) == 0;
}

void procfs_prepare(struct init *in) {
  for (uint32_t i = 0; i < in->plan.count && in->procfs < 0; i++) {
    const struct operation *op = &in->plan.ops[i];
    if (op->code != OP_write_file || !is_in_proc(in, op->field[0].text))
      continue;
    int fd = open_in_proc(in, op->field[0].text, O_PATH | O_NOFOLLOW);
    if (fd == -EXDEV)
      in->procfs = make_procfs();
    if (fd >= 0)
      close(fd);
  }
}

int procfs_open_to_write(struct init *in, const char *path) {
  const int flags = O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  if (!is_in_proc(in, path))
    return (int)RETRY(open(path, flags));
  int fd = open_in_proc(in, path, flags);
  if (fd != -EXDEV || in->procfs >= 0)
    return fd;
  in->procfs = make_procfs();
  return in->procfs < 0 ? fd : open_below(in->procfs, path, flags);
}

int write_once(int fd, const void *bytes, size_t length) {
  long written = RETRY(write(fd, bytes, length));
  if (written < 0)
    return (int)written;
  return (size_t)written == length ? 0 : -EIO;
}
