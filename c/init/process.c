/* What the program inherits: limits, label, keyring, personality, descriptors. */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "init.h"

/* keyctl(2) */
#define KEYCTL_JOIN_SESSION_KEYRING 1
#define KEYCTL_SETPERM 5
#define KEYCTL_DESCRIBE 6
#define KEY_USR_SEARCH 0x00080000ul
#define KEY_OTH_SEARCH 0x00000008ul

#define FILES_SPARE 256

#define CLOSE_RANGE_FLAG_CLOEXEC 4u /* since Linux 5.11 */

static bool plan_has_user_namespace(const struct plan *plan) {
  for (uint32_t i = 0; i < plan->count; i++) {
    const struct operation *op = &plan->ops[i];
    uint32_t flags = op->code == OP_clone || op->code == OP_unshare ? op->field[0].u32
                     : op->code == OP_setns                         ? op->field[1].u32
                                                                    : 0;
    if (flags & CLONE_NEWUSER)
      return true;
  }
  return false;
}

/*
 * Lets the container's processes find keys in their keyring: as its owner, or, when the owner's
 * id belongs to another user namespace, as anybody.
 */
static long make_searchable(long keyring, unsigned long permission) {
  char text[256];
  long length = RETRY(syscall(SYS_keyctl, KEYCTL_DESCRIBE, keyring, text, sizeof text - 1));
  if (length < 0)
    return length;
  text[(size_t)length < sizeof text ? (size_t)length : sizeof text - 1] = '\0';
  const char *at = text; /* type;uid;gid;permissions;description */
  for (int i = 0; i < 3 && at; i++)
    if ((at = strchr(at, ';')))
      at++;
  if (!at)
    return -EPROTO;
  permission |= strtoul(at, NULL, 16);
  return RETRY(syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, permission));
}

int op_keyring(struct init *in, const union field *f) {
  const char *name = f[0].text;
  long keyring = RETRY(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, *name ? name : NULL));
  if (keyring == -ENOSYS)
    return 0; /* a kernel without keyrings has none to keep apart */
  if (keyring < 0)
    return fail_at(in, (int)keyring, "make session keyring \"%s\"", name);
  bool foreign = plan_has_user_namespace(&in->plan);
  long error = make_searchable(keyring, foreign ? KEY_OTH_SEARCH : KEY_USR_SEARCH);
  return error >= 0 ? 0 : fail_at(in, (int)error, "set permissions of keyring \"%s\"", name);
}

static const char *const limit_names[] = {
    [RLIMIT_CPU] = "CPU",       [RLIMIT_FSIZE] = "FSIZE",       [RLIMIT_DATA] = "DATA",
    [RLIMIT_STACK] = "STACK",   [RLIMIT_CORE] = "CORE",         [RLIMIT_RSS] = "RSS",
    [RLIMIT_NPROC] = "NPROC",   [RLIMIT_NOFILE] = "NOFILE",     [RLIMIT_MEMLOCK] = "MEMLOCK",
    [RLIMIT_AS] = "AS",         [RLIMIT_LOCKS] = "LOCKS",       [RLIMIT_SIGPENDING] = "SIGPENDING",
    [RLIMIT_NICE] = "NICE",     [RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_RTPRIO] = "RTPRIO",
    [RLIMIT_RTTIME] = "RTTIME",
};

static const char *limit_text(uint64_t value, char out[24]) {
  if (value == UINT64_MAX)
    return "unlimited";
  snprintf(out, 24, "%llu", (unsigned long long)value);
  return out;
}

/* Soft, then hard: struct rlimit64. */
static int get_limit(uint32_t resource, uint64_t value[2]) {
  return (int)RETRY(syscall(SYS_prlimit64, 0, resource, NULL, value));
}

static int set_limit(uint32_t resource, const uint64_t value[2]) {
  return (int)RETRY(syscall(SYS_prlimit64, 0, resource, value, NULL));
}

/* How many descriptors the plan takes at once, and some more. */
static uint64_t files_needed(const struct init *in) {
  uint64_t count = FILES_SPARE + in->preserved;
  for (uint32_t i = 0; i < SLOTS_MAX; i++)
    count += in->slots[i] >= 0;
  for (uint32_t i = 0; i < in->plan.count; i++) {
    uint32_t code = in->plan.ops[i].code;
    count += code == OP_open_tree || code == OP_open_ns || code == OP_make_node ||
             code == OP_mount_propagation;
  }
  return count;
}

void files_widen(struct init *in) {
  uint64_t needed = files_needed(in);
  if (get_limit(RLIMIT_NOFILE, in->files) != 0 || in->files[0] >= needed)
    return;
  const uint64_t wanted[2] = {needed, in->files[1] > needed ? in->files[1] : needed};
  const uint64_t possible[2] = {in->files[1], in->files[1]};
  /* Where more is not permitted, an operation will say what it has lacked. */
  if (set_limit(RLIMIT_NOFILE, wanted) != 0)
    (void)set_limit(RLIMIT_NOFILE, possible);
  in->files_widened = true;
}

void files_restore(struct init *in) {
  if (in->files_widened)
    (void)set_limit(RLIMIT_NOFILE, in->files);
  in->files_widened = false;
}

static int raise_limit(struct init *in, uint32_t resource, uint64_t least, bool soft) {
  uint64_t value[2];
  int error = get_limit(resource, value);
  if (error != 0)
    return error;
  if (resource == RLIMIT_NOFILE && in->files[1] < least)
    in->files[1] = least;
  if (value[soft ? 0 : 1] >= least)
    return 0;
  if (soft)
    value[0] = least;
  if (value[1] < least)
    value[1] = least;
  return set_limit(resource, value);
}

int op_rlimit(struct init *in, const union field *f) {
  uint32_t resource = f[0].u32;
  enum limit_raise raise = f[3].u32;
  uint64_t wanted[2] = {f[1].u64, f[2].u64}, now[2];
  int error = raise == RAISE_NONE ? set_limit(resource, wanted)
                                  : raise_limit(in, resource, wanted[1], raise == RAISE_BOTH);
  if (error == 0 && resource == RLIMIT_NOFILE && raise == RAISE_NONE)
    in->files_widened = false;
  if (error == 0)
    return 0;
  const size_t known = sizeof limit_names / sizeof *limit_names;
  const char *name = resource < known ? limit_names[resource] : NULL;
  char soft[24], hard[24], old[24];
  if (!name)
    return fail_at(in, error, "set resource limit %u", resource);
  if (get_limit(resource, now) != 0)
    return fail_at(in, error, "set RLIMIT_%s", name);
  return fail_at(in, error, "set RLIMIT_%s to soft %s, hard %s (hard limit now: %s)", name,
                 limit_text(wanted[0], soft), limit_text(wanted[1], hard), limit_text(now[1], old));
}

/* Nothing mounted over a file of procfs may take the label in its place. */
static int open_attribute(struct init *in, const char *name) {
  char path[64];
  if (in->self < 0)
    return -ENOENT;
  if ((size_t)snprintf(path, sizeof path, "attr/%s", name) >= sizeof path)
    return -ENAMETOOLONG;
  return kernel_openat2(in->self, path, O_WRONLY, 0, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
}

int op_label(struct init *in, const union field *f) {
  const char *name = f[0].text, *fallback = f[1].text, *label = f[2].text;
  int fd = open_attribute(in, name);
  if (fd == -ENOENT && *fallback)
    fd = open_attribute(in, name = fallback);
  if (fd == -EXDEV)
    return fail_at(in, fd, "open \"/proc/self/attr/%s\": something is mounted over it", name);
  if (fd < 0)
    return fail_at(in, fd, "open \"/proc/self/attr/%s\"", name);
  int error = write_once(fd, label, strlen(label));
  close(fd);
  if (error == 0)
    return 0;
  return fail_at(in, error, "write \"%s\" to \"/proc/self/attr/%s\"", label, name);
}

int op_no_new_privs(struct init *in, const union field *f) {
  (void)f;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : fail_at(in, -errno, "set no_new_privs");
}

int op_personality(struct init *in, const union field *f) {
  if (personality(f[0].u32) != -1)
    return 0;
  return fail_at(in, -errno, "set personality 0x%x", f[0].u32);
}

int op_umask(struct init *in, const union field *f) {
  (void)in;
  umask((mode_t)f[0].u32);
  return 0;
}

static void set_cloexec_from(struct init *in, int first) {
  if (syscall(NR_CLOSE_RANGE, first, ~0u, CLOSE_RANGE_FLAG_CLOEXEC) == 0)
    return;
  int fd = in->self < 0 ? -1 : openat(in->self, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *open_files = fd < 0 ? NULL : fdopendir(fd);
  if (open_files) {
    for (struct dirent *entry; (entry = readdir(open_files));)
      if (atoi(entry->d_name) >= first)
        fcntl(atoi(entry->d_name), F_SETFD, FD_CLOEXEC);
    closedir(open_files);
    return;
  }
  if (fd >= 0)
    close(fd);
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  for (rlim_t i = (rlim_t)first; i < limit.rlim_cur; i++)
    fcntl((int)i, F_SETFD, FD_CLOEXEC);
}

int op_close_fds(struct init *in, const union field *f) {
  if (f[0].u32 > INT32_MAX - 3)
    return fail_at(in, -EINVAL, "preserve %u descriptors", f[0].u32);
  int first = 3 + (int)f[0].u32;
  for (int fd = 3; fd < first; fd++)
    if (fcntl(fd, F_SETFD, 0) != 0)
      return fail_at(in, -errno, "preserve descriptor %d", fd);
  set_cloexec_from(in, first);
  in->preserved = f[0].u32;
  return 0;
}

/* Makes room below `first` for descriptors of the program. */
static int move_up(int *fd, int first) {
  if (*fd < 0 || *fd >= first)
    return 0;
  int copy = (int)RETRY(fcntl(*fd, F_DUPFD_CLOEXEC, first));
  if (copy < 0)
    return copy;
  close(*fd);
  *fd = copy;
  return 0;
}

static int make_room(struct init *in, int first) {
  int *const own[] = {&in->sync,   &in->result,         &in->root,      &in->self,
                      &in->procfs, &in->mask_directory, &in->mask_file, &in->reaper};
  int error = 0;
  for (size_t i = 0; error == 0 && i < sizeof own / sizeof *own; i++)
    error = move_up(own[i], first);
  for (uint32_t i = 0; error == 0 && i < in->slot_count; i++)
    error = move_up(&in->slots[i], first);
  return error;
}

int op_inherit(struct init *in, const union field *f) {
  uint32_t count = f[0].data.count;
  if (count > SLOTS_MAX)
    return fail_at(in, -EINVAL, "pass on %u descriptors", count);
  int first = 3 + (int)count;
  int error = make_room(in, first);
  if (error != 0)
    return fail_at(in, error, "make room for %u descriptors", count);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t slot = data_u32(&f[0], i);
    int fd = slot < in->slot_count ? in->slots[slot] : -1;
    if (fd < 0 || dup3(fd, 3 + (int)i, 0) < 0)
      return fail_at(in, fd < 0 ? -EBADF : -errno, "pass on slot %u", slot);
  }
  set_cloexec_from(in, first);
  in->preserved = count;
  return 0;
}

/* What changes the ids or the capabilities takes it back: it comes after them. */
int op_parent_death(struct init *in, const union field *f) {
  if (prctl(PR_SET_PDEATHSIG, (unsigned long)f[0].u32, 0, 0, 0) != 0)
    return fail_at(in, -errno, "set the signal for the end of the parent");
  return 0;
}
