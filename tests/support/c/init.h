/*
 * Runs init (its main, in a forked child) on a plan and takes the part of runts in the
 * conversation. A program that includes this links c/init without main.c and without the files
 * whose operations it does not test: those answer ENOSYS.
 */
#ifndef TEST_INIT_H
#define TEST_INIT_H

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define main init_main
#include "../../../c/init/main.c"
#undef main

#include "plan.h"
#include "test.h"

#define X(name, code, fields)                                                  \
  __attribute__((weak)) int op_##name(struct init *in, const union field *f) { \
    (void)f;                                                                   \
    return fail_at(in, -ENOSYS, #name);                                        \
  }
RUNTS_OPS(X)
#undef X

/* An error that the sanitizers find must not look like a failure of init. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "exitcode=99:detect_leaks=0";
}

struct record {
  struct sync_header header;
  char detail[SYNC_RECORD_MAX];
  size_t length; /* of the detail; -1 for end-of-file */
};

#define NO_SLOTS (const int[]){-1}, 0

struct conversation {
  int socket;
  pid_t first;  /* stage 1 */
  pid_t newest; /* what the last `pid` record named */
};

static struct record record; /* the last one received */

static inline int plan_memfd(struct plan_bytes *p) {
  int fd = (int)syscall(SYS_memfd_create, "plan", 0);
  NEED(fd >= 0 && write(fd, p->data, p->length) == (ssize_t)p->length);
  return fd;
}

/* Ends the plan, starts init on it and discards it. The slots' descriptors stay with the caller. */
static inline struct conversation init_start(struct plan_bytes *p, const int *slots, size_t count,
                                             bool trace) {
  int ends[2];
  plan_end(p);
  NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  int plan_fd = plan_memfd(p);
  fflush(NULL);
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    char numbers[SLOTS_MAX][12];
    char *args[ARG_SLOTS + SLOTS_MAX + 1] = {"runts-init", numbers[0], numbers[1]};
    args[ARG_TRACE] = trace ? "1" : "0";
    close(ends[0]);
    snprintf(numbers[0], sizeof numbers[0], "%d", ends[1]);
    snprintf(numbers[1], sizeof numbers[1], "%d", plan_fd);
    for (size_t i = 0; i < count; i++) {
      args[ARG_SLOTS + i] = numbers[2 + i];
      snprintf(numbers[2 + i], sizeof numbers[2 + i], "%d", slots[i]);
    }
    _exit(init_main(ARG_SLOTS + (int)count, args));
  }
  close(ends[1]);
  close(plan_fd);
  plan_discard(p);
  return (struct conversation){ends[0], pid, pid};
}

/* The type of the next record, 0 at end-of-file. `pid` records are noted and passed over. */
static inline int init_receive(struct conversation *c) {
  for (;;) {
    struct iovec parts[] = {{&record.header, sizeof record.header},
                            {record.detail, sizeof record.detail - 1}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t got = recvmsg(c->socket, &message, 0);
    if (got <= 0)
      return 0;
    NEED((size_t)got >= sizeof record.header);
    record.length = (size_t)got - sizeof record.header;
    record.detail[record.length] = '\0';
    if (record.header.type != SYNC_PID)
      return record.header.type;
    c->newest = (pid_t)record.header.value;
  }
}

static inline void init_go(struct conversation *c) {
  struct sync_header header = {SYNC_GO, -1, 0, 0, 0};
  NEED(send(c->socket, &header, sizeof header, MSG_NOSIGNAL) > 0);
}

/* 256 and more for a signal. */
static inline int wait_for(pid_t pid) {
  int status;
  if (waitpid(pid, &status, 0) != pid)
    return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* The exit status of the last process; the ones before it must have ended well. */
static inline int init_end(struct conversation *c) {
  close(c->socket);
  if (c->newest != c->first)
    CHECK_NUMBER(wait_for(c->first), 0);
  return wait_for(c->newest);
}

/* Starts the plan and gives the exit status; `record` is the last one; questions get a go. */
static inline int init_run(struct plan_bytes *p, const int *slots, size_t count) {
  struct conversation c = init_start(p, slots, count, false);
  record = (struct record){0};
  for (int type; (type = init_receive(&c)) != 0;)
    if (type < SYNC_WARNING)
      init_go(&c);
  return init_end(&c);
}

/* The plan must fail with exactly this. */
#define CHECK_FAILS(p, op_index, number, text)     \
  do {                                             \
    CHECK_NUMBER(init_run((p), NO_SLOTS), 1);      \
    CHECK_NUMBER(record.header.type, SYNC_FAILED); \
    CHECK_NUMBER(record.header.op, (op_index));    \
    CHECK_NUMBER(record.header.error, (number));   \
    CHECK_TEXT(record.detail, (text));             \
  } while (0)

/* VmRSS of a process, kB. */
static inline long resident(pid_t pid) {
  char path[64], line[128];
  long kb = -1;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *status = fopen(path, "re");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmRSS: %ld", &kb) == 1)
      break;
  if (status)
    fclose(status);
  return kb;
}

#endif
