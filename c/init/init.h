/*
 * init: performs a plan. What the files share.
 *
 * main.c      start-up: arguments, descriptors, reading the plan, the loop over operations
 * decode.c    bytes to operations; refuses whatever is not well-formed
 * given.c     a plan that comes later than init
 * sync.c      the conversation, failure records
 * stage.c     clone, cgroups, small settings; namespace.c: joining and making namespaces
 * procfs.c    the procfs that init reads and writes
 * path.c      resolving, opening and making paths inside the root filesystem; explain.c
 * mount.c     mounts, with mount_request.c, fscontext.c, legacy.c, attributes.c, tmpcopyup.c
 * rootfs.c    the root, with chroot.c; mask.c; device.c, with node.c and id_map.c; console.c
 * process.c   limits, labels, keyring; scheduling.c; identity.c: ids and capabilities; seccomp.c
 * streams.c   devices of the host among the descriptors; stdio_owner.c
 * hook.c      hooks in the container's namespaces
 * lookup.c    which part of a path refuses; finding the program
 * reap.c      the first process of a container that runs one program
 * cwd.c       the working directory; start.c: waiting for the start; exec.c: executing the program
 */
#ifndef RUNTS_INIT_H
#define RUNTS_INIT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../common/hook.h"
#include "../common/retry.h"
#include "../include/ops.h"
#include "../include/sync.h"

/* One field of an operation. Texts end in NUL; `texts` also ends in NULL, as argv does. */
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
  union field *field; /* as many as ops.h gives it */
};

struct plan {
  struct operation *ops; /* one allocation, with the fields and the lists of texts */
  uint32_t count;
};

/* Number i of a V field. */
static inline uint32_t data_u32(const union field *f, uint32_t i) {
  uint32_t value;
  memcpy(&value, f->data.bytes + (size_t)i * sizeof value, sizeof value);
  return value;
}

/* A failure record is written to a pipe by one write(2), which must be atomic (PIPE_BUF). */
#define DETAIL_MAX (4096 - sizeof(struct sync_header))

/* The error of a failure that no system call reported: the record has error 0. */
#define NO_ERRNO (-4096)

#define HOOK_LIMITS_MAX 16 /* RLIM_NLIMITS */

struct init {
  int sync;            /* the conversation; -1 once closed */
  int result;          /* where failures go after wait_start; -1 before */
  uint32_t slot_count; /* SLOTS_MAX, and as many as operations may fill */
  int *slots;          /* -1 where empty */
  uint32_t late;       /* how many descriptors of slots come later than the plan */
  uint32_t *joined;    /* kinds of namespace joined through each slot */
  const uint8_t *plan_bytes;
  size_t plan_length;
  struct plan plan;
  int root;           /* O_PATH descriptor of the root filesystem; -1 before `rootfs` */
  int self;           /* /proc/self of the host's procfs, opened after clone; -1 if there is none */
  int procfs;         /* a procfs of init's own, where the host's is covered, or -1 */
  int mask_directory; /* the read-only tmpfs that masked directories share, or -1 */
  int mask_file;      /* the null device that masked files share, or -1 */
  uint32_t op;        /* index of the operation under way */
  bool trace;         /* report the duration of each operation */
  bool filtered;      /* a seccomp filter is loaded */
  bool released;      /* see init_release */
  bool announced;     /* see announce_execution */
  uint32_t preserved; /* descriptors after 2 that the program inherits */
  bool files_widened; /* `files` is to be restored: see files_widen */
  uint64_t files[2];  /* RLIMIT_NOFILE as it was, soft and hard */
  int reaper;         /* our own executable, which is to be executed for the program, or -1 */
  bool chdir_done;
  uint32_t namespaces;   /* CLONE_NEW*: made before there was a plan */
  uint64_t caps_missing; /* capabilities that a warning has named */
  char *program;         /* found by find_program */
  char **env;            /* of the program: made by find_program */
  const char *state;     /* the document of the last hook_state */
  size_t state_length;
  struct hook_limit hook_limits[HOOK_LIMITS_MAX]; /* for hooks until the process is confined */
  uint32_t hook_limit_count;
  char detail[DETAIL_MAX]; /* what failed, on what: becomes the detail of the failure record */
  size_t detail_length;
};

/*
 * Every operation is `int op_NAME(struct init *, const union field *)`: 0, or -errno after it has
 * stated in `detail` what it tried, on what ("mount \"proc\" on \"/proc\""), if the plan's own
 * description would not tell.
 */
#define X(name, code, fields) int op_##name(struct init *in, const union field *f);
RUNTS_OPS(X)
#undef X

/* decode.c: 0, -EBADMSG or -ENOMEM. The plan points into `bytes`. */
int plan_decode(const uint8_t *bytes, size_t length, struct plan *plan);
void plan_free(struct plan *plan);

/* namespace.c */
/* The names of CLONE_NEW* kinds, as "pid", "net"; what is unknown as a number. */
void namespace_names(uint32_t kinds, char *out, size_t size);

/* procfs.c: in->self for the calling process; -1 where there is no procfs. */
void self_open(struct init *in);
/* The same in the procfs with this root, which is closed. */
void self_open_in(struct init *in, int proc);
/* The root of the procfs that in->self lies in. Not for a self that has ended. */
int root_of_self(const struct init *in);
/* Makes in->procfs where the plan writes to a file of /proc that something is mounted over. */
void procfs_prepare(struct init *in);
/*
 * A file of procfs is opened below the procfs that init holds, and not through a mount on it: in a
 * mount namespace that was joined, somebody may have put another file in its place (CVE-2025-52881).
 */
int procfs_open_to_write(struct init *in, const char *path);
/* One write(2) of all bytes: 0, or -errno; -EIO for a short one. */
int write_once(int fd, const void *bytes, size_t length);

/* given.c: -errno after fail_at */
/* Fills slots that are empty, and gives the descriptor of the plan. */
int take_plan(struct init *in, int slots[SLOTS_MAX]);
/* The descriptor of a slot, which may still be on its way. */
int slot_awaited(struct init *in, uint32_t slot);
/* Waits for all that come later than the plan. */
int take_all_late(struct init *in);

/* sync.c */
int sync_send(struct init *in, int type, int error, uint64_t value, const char *detail,
              size_t length);
int sync_wait_go(struct init *in);
/*
 * After wait_start, once: init's last word if it is killed from here on. A filter may not know
 * write(2); with an early one writev(2) has been used by then.
 */
void announce_execution(struct init *in);
/* Sends the failure record and ends the process. */
_Noreturn void init_fail(struct init *in, int error);
/*
 * Notes what failed, printf-like, in words that fit before ": ERRNO"; returns `error` (a -errno, or
 * NO_ERRNO), so that callers can `return` it.
 */
int fail_at(struct init *in, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends raw bytes to the detail, after a NUL; what does not fit is cut. */
void fail_append(struct init *in, const void *bytes, size_t length);
/*
 * A warning record: the operation goes on. That of capabilities that cannot be granted has their
 * mask as its value.
 */
void warn_at(struct init *in, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * lookup.c: the first element of `path` before its last one that cannot be passed is put into
 * `out`, of PATH_MAX bytes, and why is returned (-ENOENT, -ENOTDIR, -EACCES …). 0 and an empty
 * text if there is none.
 */
int path_refusal(const char *path, char *out);

/*
 * start.c: closes every descriptor but those of the conversation, of a later wait_start, of later
 * hooks and of the program; other slots, in->root and in->self are empty from then on.
 */
void init_release(struct init *in);

/* start.c: the operation of this kind that is under way or still to come, or NULL. */
const struct operation *find_next(const struct init *in, uint32_t code);

/*
 * process.c: what init does itself may take all descriptors that there are, and those that the plan
 * needs; what comes after it is left with the limits that it would have without.
 */
void files_widen(struct init *in);
void files_restore(struct init *in);

/* start.c: from now on the signals that ask a program to end do end init, even as pid 1. */
void init_end_by_signals(void);

/* reap.c: runs the program argv[0] with the arguments after it, and gives the code to exit with. */
int reap(char **argv);
#define REAP_WORD "--reap"

/* exec.c: makes the program's environment while its files and calls are still free to use. */
int exec_prepare(struct init *in);

/*
 * Details of several parts, separated by NUL bytes:
 * find_program: text, the candidate that failed (empty if no directory of the search has one), the
 *   element of its path that refused (empty if it was the candidate itself), "noexec" if that is
 *   an option of the mount it lies on.
 * exec: text, path of the program, its first EXEC_HEAD bytes (fewer if it is shorter). If it is an
 *   ELF program that names a loader, that follows, without a separator, after a full EXEC_HEAD bytes.
 */
#define EXEC_HEAD 1024

/*
 * path.c: descriptors, or -errno. `path` is taken from the container's root; symlinks stay in it.
 */
int path_open(struct init *in, const char *path, int flags);
int path_open_nofollow(struct init *in, const char *path, int flags);
/* Makes the missing directories of `path`, mode 0755, with the last one. An O_PATH descriptor. */
int path_make_directories(struct init *in, const char *path);
/* Makes the parents and an empty file, mode 0644, where nothing exists. An O_PATH descriptor. */
int path_make_file(struct init *in, const char *path);
/* Opens (making it if need be) the parent of `path`; `*name` is set to the last component. */
int path_open_parent(struct init *in, const char *path, const char **name);

#endif
