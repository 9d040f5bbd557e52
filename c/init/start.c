/*
 * Waiting for the start. What init holds of the host is given back before the first filter is
 * loaded or the wait begins, but for the files that hooks are to write to: after that it may run what
 * the container brought along (startContainer hooks), and a filter may forbid the calls that it takes.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "../common/stop.h"
#include "init.h"

#define WRITER_GONE_NS 5000000 /* between two looks at a fifo that nobody holds open */
#define KEPT_MAX 6 /* the conversation, the fifo, the result, hooks' output, the reaper */

/* Descriptors that stay, in ascending order. */
struct kept {
  int fds[KEPT_MAX];
  int count;
};

static bool is_kept(const struct kept *k, int fd) {
  for (int i = 0; i < k->count; i++)
    if (k->fds[i] == fd)
      return true;
  return false;
}

static void keep(struct kept *k, int fd) {
  if (fd < 0 || is_kept(k, fd))
    return;
  int at = k->count++;
  for (; at > 0 && k->fds[at - 1] > fd; at--)
    k->fds[at] = k->fds[at - 1];
  k->fds[at] = fd;
}

static int slot_fd(const struct init *in, uint32_t slot) {
  return slot < in->slot_count ? in->slots[slot] : -1;
}

const struct operation *find_next(const struct init *in, uint32_t code) {
  for (uint32_t i = in->op; i < in->plan.count; i++)
    if (in->plan.ops[i].code == code)
      return &in->plan.ops[i];
  return NULL;
}

/* Without close_range(2) at least what init itself knows of. */
static void close_known(struct init *in, const struct kept *k) {
  int *const known[] = {&in->self, &in->root, &in->mask_directory, &in->mask_file};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (*known[i] >= 0)
      close(*known[i]);
  for (uint32_t i = 0; i < in->slot_count; i++)
    if (in->slots[i] >= 0 && !is_kept(k, in->slots[i]))
      close(in->slots[i]);
}

static void close_all_but(struct init *in, const struct kept *k) {
  int first = 3 + (int)in->preserved;
  for (int i = 0; i <= k->count; i++) {
    unsigned last = i < k->count ? (unsigned)k->fds[i] - 1 : ~0u;
    if ((unsigned)first <= last && syscall(NR_CLOSE_RANGE, first, last, 0) != 0)
      return close_known(in, k);
    if (i < k->count)
      first = k->fds[i] + 1;
  }
}

/* A fifo that is open for writing too never shows its end: read(2) is all that the wait takes. */
static void let_block(int fifo) {
  int flags = fcntl(fifo, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) == O_RDWR)
    fcntl(fifo, F_SETFL, flags & ~O_NONBLOCK);
}

static void leave(int signal) {
  end_process(128 + signal);
}

/*
 * The kernel keeps signals of default disposition from the first process of a pid namespace: without
 * handlers, who stops a container that was never started would wait in vain. execve(2) resets them.
 */
void init_end_by_signals(void) {
  static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  const struct sigaction action = {.sa_handler = leave};
  if (getpid() != 1)
    return; /* by default, these end it */
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    sigaction(numbers[i], &action, NULL);
}

void init_release(struct init *in) {
  if (in->released)
    return;
  in->released = true;
  files_restore(in);
  const struct operation *wait = find_next(in, OP_wait_start), *hook = find_next(in, OP_hook);
  int fifo = wait ? slot_fd(in, wait->field[0].u32) : -1;
  int result = wait ? slot_fd(in, wait->field[1].u32) : -1;
  struct kept kept = {.count = 0};
  keep(&kept, in->sync);
  keep(&kept, fifo);
  keep(&kept, result);
  keep(&kept, in->reaper);
  for (int i = 7; hook && i <= 8; i++)
    keep(&kept, slot_fd(in, (uint32_t)hook->field[i].i32));
  close_all_but(in, &kept);
  in->self = in->procfs = in->root = in->mask_directory = in->mask_file = -1;
  for (uint32_t i = 0; i < in->slot_count; i++)
    if (!is_kept(&kept, in->slots[i]))
      in->slots[i] = -1;
  if (fifo >= 0)
    let_block(fifo);
  /* The wait may last for days. Pages that are needed again are read again. */
  madvise((void *)(uintptr_t)in->plan_bytes, in->plan_length, MADV_DONTNEED);
}

/* 0 once a byte came. Whoever starts the container may come and go without one. */
static int await_byte(int fifo) {
  uint64_t start = now_ns();
  for (uint64_t turns = 0;; turns++) {
    char byte;
    long length = RETRY(read(fifo, &byte, 1));
    if (length == 1)
      return 0;
    if (length < 0 && length != -EAGAIN)
      return (int)length;
    if (is_spinning(start, turns))
      return -EIO;
    if (length == 0) {
      /* Open for reading only, with no writer left: poll(2) would not wait either. */
      nanosleep(&(struct timespec){.tv_nsec = WRITER_GONE_NS}, NULL);
      continue;
    }
    struct pollfd wait = {.fd = fifo, .events = POLLIN};
    int ready = poll_until(&wait, 1, 0);
    if (ready < 0)
      return ready;
  }
}

int op_wait_start(struct init *in, const union field *f) {
  int fifo = slot_fd(in, f[0].u32), result = slot_fd(in, f[1].u32);
  if (fifo < 0 || result < 0)
    return fail_at(in, -EBADF, "wait for the start: slots %u, %u", f[0].u32, f[1].u32);
  init_release(in);
  in->result = result;
  close(in->sync);
  in->sync = -1;
  in->trace = false;
  STOP("@wait");
  int error = await_byte(fifo);
  STOP("@released");
  if (error != 0)
    return fail_at(in, error, "wait for the start");
  close(fifo);
  in->slots[f[0].u32] = -1;
  return 0;
}
