/* Hooks that run in the container's namespaces. */
#define _GNU_SOURCE 1
#include "../common/hook.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

#define NS_PER_MS 1000000u
#define LIMITS_MAX (1 + 2 * HOOK_LIMITS_MAX)

static const char *const signal_names[] = {
    [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
    [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
    [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
    [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM", [SIGSYS] = "SIGSYS",
    [SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ",
};

/* `: stderr "…"`: the last of it that fits, on one line. */
static void append_stderr(struct init *in, const struct hook_result *r) {
  static const char opening[] = ": stderr \"";
  size_t end = r->stderr_length, room = sizeof in->detail - in->detail_length;
  while (end > 0 && (r->stderr_tail[end - 1] == '\n' || r->stderr_tail[end - 1] == '\r'))
    end--;
  if (end == 0 || room <= sizeof opening)
    return;
  room -= sizeof opening; /* the closing quote has the place of its NUL */
  size_t start = end;
  for (size_t used = 0; start > 0; start--) {
    used += r->stderr_tail[start - 1] == '\n' ? 2 : 1;
    if (used > room)
      break;
  }
  char *out = in->detail + in->detail_length;
  memcpy(out, opening, sizeof opening - 1);
  out += sizeof opening - 1;
  for (; start < end; start++) {
    char c = r->stderr_tail[start];
    if (c == '\n')
      *out++ = '\\';
    *out++ = c == '\n' ? 'n' : (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
  }
  *out++ = '"';
  in->detail_length = (size_t)(out - in->detail);
}

static int report(struct init *in, const struct hook *hook, const struct hook_result *r) {
  unsigned long long ms = (unsigned long long)(r->duration_ns / NS_PER_MS);
  if (r->error != 0)
    return -r->error; /* runts names the hook */
  if (r->timed_out)
    fail_at(in, NO_ERRNO, "timed out after %u s", hook->timeout);
  else if (r->signal != 0) {
    const size_t count = sizeof signal_names / sizeof *signal_names;
    const char *name = (size_t)r->signal < count ? signal_names[r->signal] : NULL;
    if (name)
      fail_at(in, NO_ERRNO, "killed by %s after %llu ms", name, ms);
    else
      fail_at(in, NO_ERRNO, "killed by signal %d after %llu ms", r->signal, ms);
  } else
    fail_at(in, NO_ERRNO, "exit status %d after %llu ms", r->status, ms);
  append_stderr(in, r);
  return NO_ERRNO;
}

/* The descriptor in a slot, 0 without one. */
static int take_output(struct init *in, int slot, int *fd) {
  if (slot < 0)
    return 0;
  if ((uint32_t)slot >= in->slot_count || in->slots[slot] < 0)
    return fail_at(in, -EBADF, "the output's slot %d is empty", slot);
  *fd = in->slots[slot];
  return 0;
}

/* Mapped now, for a filter may forbid that later. The memory is runts's, not the container's. */
int op_hook_state(struct init *in, const union field *f) {
  uint32_t slot = f[0].u32;
  if (slot >= in->slot_count || in->slots[slot] < 0)
    return fail_at(in, -EBADF, "the state document's slot %u is empty", slot);
  int fd = in->slots[slot];
  in->slots[slot] = -1;
  if (in->state_length > 0)
    munmap((void *)(uintptr_t)in->state, in->state_length);
  in->state_length = 0;
  struct stat file;
  void *map = MAP_FAILED;
  if (fstat(fd, &file) == 0)
    map = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  int error = map == MAP_FAILED ? fail_at(in, -errno, "read the state document for hooks") : 0;
  close(fd);
  if (error != 0)
    return error;
  in->state = map;
  in->state_length = (size_t)file.st_size;
  return 0;
}

/* Without one of its own: what the program has, or, while that is not made yet, will be given. */
static const char *const *environment(const struct init *in, const union field *f) {
  if (f[5].u32 == 1)
    return f[4].texts.items;
  if (in->env)
    return (const char *const *)in->env;
  for (uint32_t i = in->op; i < in->plan.count; i++)
    if (in->plan.ops[i].code == OP_exec)
      return in->plan.ops[i].field[1].texts.items;
  return f[4].texts.items;
}

/* The limits of the hook's process that init itself does not have. */
static uint32_t find_limits(const struct init *in, bool programs,
                            struct hook_limit out[LIMITS_MAX]) {
  uint32_t count = 0;
  if (in->files_widened)
    out[count++] = (struct hook_limit){RLIMIT_NOFILE, {in->files[0], in->files[1]}};
  for (uint32_t i = 0; !in->released && i < in->hook_limit_count; i++)
    out[count++] = in->hook_limits[i];
  for (uint32_t i = in->op + 1; programs && i < in->plan.count && count < LIMITS_MAX; i++) {
    const struct operation *op = &in->plan.ops[i];
    if (op->code == OP_rlimit)
      out[count++] = (struct hook_limit){op->field[0].u32, {op->field[1].u64, op->field[2].u64}};
  }
  return count;
}

int op_hook_limit(struct init *in, const union field *f) {
  if (in->hook_limit_count == HOOK_LIMITS_MAX)
    return fail_at(in, -E2BIG, "limit %u", f[0].u32);
  in->hook_limits[in->hook_limit_count++] = (struct hook_limit){f[0].u32, {f[1].u64, f[2].u64}};
  return 0;
}

int op_hook(struct init *in, const union field *f) {
  struct hook_limit limits[LIMITS_MAX];
  struct hook hook = {
      .path = f[2].text,
      .args = f[3].texts.items,
      .env = environment(in, f),
      .input = in->state,
      .input_length = in->state_length,
      .timeout = f[6].u32,
      .limits = limits,
      .limit_count = find_limits(in, f[9].u32 == 1, limits),
  };
  int error = take_output(in, f[7].i32, &hook.output);
  if (error == 0)
    error = take_output(in, f[8].i32, &hook.errors);
  if (error != 0)
    return error;
  /* Before the root is entered, as runc has it; afterwards the program's directory is entered. */
  if (in->root >= 0 && fchdir(in->root) != 0)
    return fail_at(in, -errno, "enter the root filesystem");
  struct hook_result result;
  error = hook_run(&hook, &result);
  if (error != 0)
    return fail_at(in, error, "run \"%s\"", hook.path);
  if (result.error == 0 && result.timed_out == 0 && result.status == 0)
    return 0;
  return report(in, &hook, &result);
}
