/*
 * init: performs a plan. What the files share.
 *
 * main.c      start-up: arguments, descriptors, reading the plan, the loop over operations
 * decode.c    bytes to operations; refuses whatever is not well-formed
 * sync.c      the conversation, failure records
 * stage.c     namespaces, clone, cgroups
 * path.c      resolving, opening and making paths inside the root filesystem
 * mount.c     mounts and their attributes; rootfs.c: root, pivot, masks; device.c; console.c
 * process.c   limits, labels, scheduling; identity.c: ids and capabilities; seccomp.c
 * hook.c      hooks in the container's namespaces; exec.c: finding and executing the program
 */
#ifndef RUNTS_INIT_H
#define RUNTS_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../include/ops.h"
#include "../include/sync.h"

/* A list of texts or numbers inside the plan. Texts end in NUL; `texts` also ends in NULL, as argv does. */
union field {
  const char *text;
  uint32_t u32;
  int32_t i32;
  uint64_t u64;
  int64_t i64;
  struct {
    const char **items;
    uint32_t count;
  } texts;
  struct {
    const uint8_t *bytes; /* unaligned little-endian uint32 for V, or plain bytes for b */
    uint32_t count;       /* numbers for V, bytes for b */
  } data;
};

struct operation {
  uint32_t code;
  union field field[FIELDS_MAX];
};

struct plan {
  struct operation *ops;
  uint32_t count;
};

struct init {
  int sync;          /* the conversation; -1 once closed */
  int result;        /* where failures go after wait_start; -1 before */
  int slots[SLOTS_MAX];
  int root;          /* O_PATH descriptor of the root filesystem; -1 before `rootfs` and after `enter_root` */
  int self;          /* /proc/self of the host's procfs, opened after clone; -1 if there is none */
  int mask_tree;     /* the read-only tmpfs that masked directories share, or -1 */
  uint32_t op;       /* index of the operation under way */
  bool trace;        /* report the duration of each operation */
  bool chdir_done;
  char *program;     /* found by find_program */
  char *state;       /* state document for hooks, from the last answer */
  size_t state_length;
  char detail[4096]; /* what failed, on what: becomes the detail of the failure record */
};

/*
 * Every operation is `int op_NAME(struct init *, const union field *)`: 0, or -errno after it has
 * stated in `detail` what it tried, on what ("mount \"proc\" on \"/proc\""), if the plan's own
 * description would not tell.
 */
#define X(name, code, fields) int op_##name(struct init *in, const union field *f);
RUNTS_OPS(X)
#undef X

/* decode.c: 0, or -EBADMSG. The plan points into `bytes`. */
int plan_decode(const uint8_t *bytes, size_t length, struct plan *plan);
void plan_free(struct plan *plan);

/* sync.c */
int sync_send(struct init *in, int type, int error, uint64_t value, const char *detail, size_t length);
int sync_wait_go(struct init *in);
/* Sends the failure record and ends the process. */
_Noreturn void init_fail(struct init *in, int error);
/* Notes what failed, printf-like; returns `error` (a -errno), so that callers can `return` it. */
int fail_at(struct init *in, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A warning record: the operation goes on. */
void warn_at(struct init *in, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* path.c: descriptors, or -errno. `path` is taken from the container's root; symlinks stay in it. */
int path_open(struct init *in, const char *path, int flags);
int path_open_nofollow(struct init *in, const char *path, int flags);
/* Makes the missing directories of `path`, mode 0755; the last component too. An O_PATH descriptor. */
int path_make_directories(struct init *in, const char *path);
/* Makes the parents and an empty file (0644 - umask) where nothing exists. An O_PATH descriptor. */
int path_make_file(struct init *in, const char *path);
/* Opens (making it if need be) the parent of `path`; `*name` is set to the last component. */
int path_open_parent(struct init *in, const char *path, const char **name);
/* "/proc/self/fd/N" style access is avoided; where a call has no *at form this gives such a path. */
void path_of_fd(int fd, char out[32]);

/* Retries a call while it is interrupted; gives its value or -errno. */
#define RETRY(expression)                                   \
  ({                                                        \
    long retry_value_;                                      \
    do                                                      \
      retry_value_ = (long)(expression);                    \
    while (retry_value_ == -1 && errno == EINTR);           \
    retry_value_ == -1 ? -(long)errno : retry_value_;       \
  })

#endif
