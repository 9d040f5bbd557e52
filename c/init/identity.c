/* User, groups and capabilities. */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define CAPABILITY_VERSION_3 0x20080522u
#define CAP_SETPCAP 8
#define CAP_MAX 63
#define CAP_BIT(number) (UINT64_C(1) << (number))

#ifdef SYS_setresuid32 /* 32-bit architectures, whose first calls take 16-bit ids */
#define NR_SETGROUPS SYS_setgroups32
#define NR_SETRESGID SYS_setresgid32
#define NR_SETRESUID SYS_setresuid32
#else
#define NR_SETGROUPS SYS_setgroups
#define NR_SETRESGID SYS_setresgid
#define NR_SETRESUID SYS_setresuid
#endif

struct cap_header {
  uint32_t version;
  int32_t pid;
};

/* One of the two halves of the sets, the lower capabilities first. */
struct cap_half {
  uint32_t effective, permitted, inheritable;
};

struct cap_sets {
  uint64_t effective, permitted, inheritable;
};

static int set_groups(struct init *in, const union field *f) {
  uint32_t *groups = malloc(f->data.count * sizeof *groups + 1);
  if (!groups)
    return -ENOMEM;
  memcpy(groups, f->data.bytes, f->data.count * sizeof *groups);
  long error = RETRY(syscall(NR_SETGROUPS, f->data.count, groups));
  free(groups);
  return error == 0 ? 0 : fail_at(in, (int)error, "set %u supplementary groups", f->data.count);
}

int op_set_ids(struct init *in, const union field *f) {
  uint32_t uid = f[0].u32, gid = f[1].u32;
  int failed = f[3].u32 == 0 ? set_groups(in, &f[2]) : 0;
  if (failed != 0)
    return failed;
  long error = RETRY(syscall(NR_SETRESGID, gid, gid, gid));
  if (error < 0)
    return fail_at(in, (int)error, "set gid %u", gid);
  error = RETRY(syscall(NR_SETRESUID, uid, uid, uid));
  return error == 0 ? 0 : fail_at(in, (int)error, "set uid %u", uid);
}

int op_keep_caps(struct init *in, const union field *f) {
  if (prctl(PR_SET_KEEPCAPS, (unsigned long)f[0].u32, 0, 0, 0) == 0)
    return 0;
  return fail_at(in, -errno, "keep capabilities");
}

static int get_caps(struct cap_sets *sets) {
  struct cap_header header = {CAPABILITY_VERSION_3, 0};
  struct cap_half half[2];
  long error = RETRY(syscall(SYS_capget, &header, half));
  if (error < 0)
    return (int)error;
  sets->effective = half[0].effective | (uint64_t)half[1].effective << 32;
  sets->permitted = half[0].permitted | (uint64_t)half[1].permitted << 32;
  sets->inheritable = half[0].inheritable | (uint64_t)half[1].inheritable << 32;
  return 0;
}

static int set_caps(const struct cap_sets *sets) {
  struct cap_header header = {CAPABILITY_VERSION_3, 0};
  struct cap_half half[2];
  for (int i = 0; i < 2; i++) {
    half[i].effective = (uint32_t)(sets->effective >> 32 * i);
    half[i].permitted = (uint32_t)(sets->permitted >> 32 * i);
    half[i].inheritable = (uint32_t)(sets->inheritable >> 32 * i);
  }
  return (int)RETRY(syscall(SYS_capset, &header, half));
}

/* The bounding set. The first capability that the kernel refuses to tell of is one too many. */
static uint64_t bounding_set(void) {
  uint64_t set = 0;
  for (int cap = 0; cap <= CAP_MAX; cap++) {
    int present = prctl(PR_CAPBSET_READ, (unsigned long)cap, 0, 0, 0);
    if (present < 0)
      break;
    if (present == 1)
      set |= CAP_BIT(cap);
  }
  return set;
}

/* One warning for all that have not been named yet; its value is their mask. */
static void warn_of_missing(struct init *in, uint64_t missing) {
  missing &= ~in->caps_missing;
  in->caps_missing |= missing;
  if (missing == 0)
    return;
  char text[320];
  size_t at = (size_t)snprintf(text, sizeof text, "cannot grant capabilities");
  const char *separator = " ";
  for (int cap = 0; cap <= CAP_MAX && at < sizeof text; cap++) {
    if (!(missing & CAP_BIT(cap)))
      continue;
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", separator, cap);
    separator = ", ";
  }
  sync_send(in, SYNC_WARNING, 0, missing, text, strlen(text));
}

int op_bounding(struct init *in, const union field *f) {
  uint64_t wanted = f[0].u64, now = bounding_set(), extra = now & ~wanted;
  struct cap_sets mine;
  int error = extra ? get_caps(&mine) : 0;
  if (error != 0)
    return fail_at(in, error, "read the capabilities");
  if (extra && !(mine.effective & CAP_BIT(CAP_SETPCAP))) {
    warn_at(in, -EPERM, "without CAP_SETPCAP the bounding set keeps capabilities 0x%llx",
            (unsigned long long)extra);
    extra = 0;
  }
  for (int cap = 0; cap <= CAP_MAX; cap++)
    if (extra & CAP_BIT(cap) && prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0, 0, 0) != 0)
      return fail_at(in, -errno, "drop capability %d from the bounding set", cap);
  warn_of_missing(in, wanted & ~now);
  return 0;
}

/* Gives the mask of those that could not be raised. */
static uint64_t raise_ambient(uint64_t wanted) {
  uint64_t missing = 0;
  for (int cap = 0; cap <= CAP_MAX; cap++)
    if (wanted & CAP_BIT(cap) &&
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)cap, 0, 0) != 0)
      missing |= CAP_BIT(cap);
  return missing;
}

/*
 * capabilities(7): permitted can only shrink; effective lies within permitted; inheritable can
 * take in what is in the bounding set, without CAP_SETPCAP only what is permitted; ambient lies
 * within both permitted and inheritable.
 */
int op_caps(struct init *in, const union field *f) {
  struct cap_sets wanted = {f[0].u64, f[1].u64, f[2].u64}, now, next;
  uint64_t ambient = f[3].u64;
  int error = get_caps(&now);
  if (error != 0)
    return fail_at(in, error, "read the capabilities");
  bool capped = !(now.effective & CAP_BIT(CAP_SETPCAP));
  uint64_t inheritable = now.inheritable | (bounding_set() & (capped ? now.permitted : UINT64_MAX));
  next.permitted = wanted.permitted & now.permitted;
  next.effective = wanted.effective & next.permitted;
  next.inheritable = wanted.inheritable & inheritable;
  error = set_caps(&next);
  if (error != 0)
    return fail_at(in, error, "set the capabilities");
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  uint64_t missing = (wanted.permitted & ~next.permitted) | (wanted.effective & ~next.effective) |
                     (wanted.inheritable & ~next.inheritable) | raise_ambient(ambient);
  warn_of_missing(in, missing);
  return 0;
}
