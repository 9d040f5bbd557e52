/* Joining, making and naming namespaces. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "init.h"

#define NS_GET_NSTYPE 0xb703 /* ioctl_nsfs(2), since Linux 4.11 */

static const struct {
  uint32_t kind;
  const char *name;
} kinds[] = {
    {CLONE_NEWUSER, "user"},     {CLONE_NEWNS, "mount"},  {CLONE_NEWPID, "pid"},
    {CLONE_NEWNET, "network"},   {CLONE_NEWIPC, "ipc"},   {CLONE_NEWUTS, "uts"},
    {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWTIME, "time"},
};

static size_t append(char *out, size_t size, size_t at, const char *text) {
  if (at >= size)
    return at;
  int length = snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", text);
  return length < 0 ? at : at + (size_t)length;
}

void namespace_names(uint32_t mask, char *out, size_t size) {
  size_t at = 0;
  out[0] = '\0';
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!(mask & kinds[i].kind))
      continue;
    at = append(out, size, at, kinds[i].name);
    mask &= ~kinds[i].kind;
  }
  if (mask == 0)
    return;
  char rest[16];
  snprintf(rest, sizeof rest, "0x%x", (unsigned)mask);
  append(out, size, at, rest);
}

int op_open_ns(struct init *in, const union field *f) {
  uint32_t slot = f[0].u32, kind = f[1].u32;
  const char *path = f[2].text;
  if (slot >= in->slot_count)
    return fail_at(in, -EINVAL, "slot %u", slot);
  /* O_NONBLOCK: a fifo in its place must not stop us. */
  int fd = (int)RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd < 0)
    return fail_at(in, fd, "open \"%s\"", path);
  char wanted[64], found[64];
  namespace_names(kind, wanted, sizeof wanted);
  long type = RETRY(ioctl(fd, NS_GET_NSTYPE));
  if (type != (long)kind) {
    close(fd);
    if (type < 0)
      return fail_at(in, -EINVAL, "\"%s\" is not a namespace file", path);
    namespace_names((uint32_t)type, found, sizeof found);
    return fail_at(in, -EINVAL, "\"%s\" is a %s namespace, not a %s namespace", path, found,
                   wanted);
  }
  if (in->slots[slot] >= 0)
    close(in->slots[slot]);
  in->slots[slot] = fd;
  in->joined[slot] = 0;
  return 0;
}

int op_setns(struct init *in, const union field *f) {
  uint32_t slot = f[0].u32, kind = f[1].u32;
  bool defer = f[2].u32 == 1;
  char names[64];
  namespace_names(kind, names, sizeof names);
  if (slot >= in->slot_count || in->slots[slot] < 0)
    return fail_at(in, -EBADF, "join %s namespace: slot %u is empty", names, slot);
  if ((in->joined[slot] & kind) == kind)
    return 0;
  long error = RETRY(setns(in->slots[slot], (int)kind));
  if (error == -EPERM && defer)
    return 0;
  if (error < 0)
    return fail_at(in, (int)error, "join %s namespace", names);
  in->joined[slot] |= kind;
  return 0;
}

int op_unshare(struct init *in, const union field *f) {
  long error = RETRY(unshare((int)f[0].u32));
  if (error == 0)
    return 0;
  char names[64];
  namespace_names(f[0].u32, names, sizeof names);
  return fail_at(in, (int)error, "make new namespaces: %s", names);
}
