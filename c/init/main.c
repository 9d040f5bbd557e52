/*
 * Start-up, and the loop over the plan's operations.
 *
 * argv: "runts-init" SYNC_FD PLAN_FD TRACE NAMESPACES SLOT0_FD SLOT1_FD …, decimal numbers; -1 for an empty
 * slot, and for a plan that comes over the conversation. The descriptors are inherited without CLOEXEC and get it here.
 * NAMESPACES (CLONE_NEW*) are made while there is no plan yet.
 *
 * Or "init" "--reap" PROGRAM ARGUMENT…: see reap.c.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../common/signals.h"
#include "../common/stop.h"
#include "init.h"

enum { ARG_SYNC = 1, ARG_PLAN, ARG_TRACE, ARG_NAMESPACES, ARG_SLOTS };
enum { ARG_REAP = 1, ARG_REAPED };

static struct init the_init;

/* -1 for whatever is not a number. */
static int parse_number(const char *text) {
  if (*text < '0' || *text > '9')
    return -1;
  char *end;
  long value = strtol(text, &end, 10);
  return *end || value > INT32_MAX ? -1 : (int)value;
}

static int take_fd(const char *text) {
  int fd = parse_number(text);
  return fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

static void init_prepare(struct init *in, char **argv) {
  in->op = UINT32_MAX;
  in->sync = take_fd(argv[ARG_SYNC]);
  in->result = in->root = in->self = in->procfs = -1;
  in->mask_directory = in->mask_file = in->reaper = -1;
  in->trace = argv[ARG_TRACE][0] == '1';
}

/* What fails here fails again in op_clone, which says why. */
static void make_namespaces(struct init *in, int namespaces) {
  if (namespaces > 0 && unshare(namespaces) == 0)
    in->namespaces = (uint32_t)namespaces;
}

/* The descriptor of the plan; what there is for its slots. */
static int find_plan(struct init *in, int argc, char **argv, int slots[SLOTS_MAX]) {
  for (int i = 0; i < (int)SLOTS_MAX; i++)
    slots[i] = ARG_SLOTS + i < argc ? take_fd(argv[ARG_SLOTS + i]) : -1;
  int plan = take_fd(argv[ARG_PLAN]);
  if (plan >= 0)
    return plan;
  make_namespaces(in, parse_number(argv[ARG_NAMESPACES]));
  return take_plan(in, slots);
}

/* Those that operations fill come after those that runts may: each operation fills one at the most. */
static int make_slots(struct init *in, const int given[SLOTS_MAX]) {
  in->slot_count = SLOTS_MAX + in->plan.count;
  in->slots = malloc(in->slot_count * sizeof *in->slots);
  in->joined = calloc(in->slot_count, sizeof *in->joined);
  if (!in->slots || !in->joined)
    return fail_at(in, -ENOMEM, "make %u slots", in->slot_count);
  for (uint32_t i = 0; i < in->slot_count; i++)
    in->slots[i] = i < SLOTS_MAX ? given[i] : -1;
  return 0;
}

_Static_assert(sizeof RUNTS_BUILD_ID == BUILD_ID_LENGTH + 1, "a build id has this length");

/* Numbers of operations and their fields may mean something else in another build. */
static bool is_of_another_build(const uint8_t *bytes, size_t length) {
  struct plan_header head;
  if (length < sizeof head)
    return false;
  memcpy(&head, bytes, sizeof head);
  return head.magic == PLAN_MAGIC && memcmp(head.build_id, RUNTS_BUILD_ID, BUILD_ID_LENGTH) != 0;
}

/* Maps and decodes the plan; its descriptor is closed. */
static int load_plan(struct init *in, int fd) {
  struct stat file;
  if (fd < 0 || fstat(fd, &file) != 0)
    return fail_at(in, -EBADF, "read the plan");
  if (file.st_size <= 0 || file.st_size > (off_t)PLAN_MAX)
    return fail_at(in, -EBADMSG, "a plan of %lld bytes", (long long)file.st_size);
  in->plan_length = (size_t)file.st_size;
  void *map = mmap(NULL, in->plan_length, PROT_READ, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED)
    return fail_at(in, -errno, "map the plan");
  close(fd);
  in->plan_bytes = map;
  if (is_of_another_build(map, in->plan_length))
    return fail_at(in, NO_ERRNO,
                   "init and the plan are of different builds: run deno task build:c");
  int error = plan_decode(in->plan_bytes, in->plan_length, &in->plan);
  if (error == 0)
    return 0;
  return fail_at(in, error, error == -EBADMSG ? "the plan is malformed" : "decode the plan");
}

static int perform(struct init *in, const struct operation *op) {
  switch (op->code) {
#define X(name, code, fields) \
  case code:                  \
    return op_##name(in, op->field);
    RUNTS_OPS(X)
#undef X
  default:
    return -EBADMSG; /* the decoder lets none through */
  }
}

/* With the time of day at which it began: ns since 1970. */
static void tell_trace(struct init *in, uint64_t duration) {
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t begin = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - duration;
  sync_send(in, SYNC_TRACE, 0, duration, (const char *)&begin, sizeof begin);
}

int main(int argc, char **argv) {
  struct init *in = &the_init;
  if (argc > ARG_REAPED && strcmp(argv[ARG_REAP], REAP_WORD) == 0)
    return reap(argv + ARG_REAPED);
  if (argc < ARG_SLOTS || argc > ARG_SLOTS + SLOTS_MAX)
    return 1;
  signals_reset();
  init_prepare(in, argv);
  if (in->sync < 0)
    return 1;
  int slots[SLOTS_MAX];
  int plan = find_plan(in, argc, argv, slots);
  int error = plan < 0 ? plan : load_plan(in, plan);
  if (error == 0)
    error = make_slots(in, slots);
  if (error != 0)
    init_fail(in, error);
  files_widen(in);
  self_open(in);
  procfs_prepare(in);
  STOP("@begin");
  for (uint32_t i = 0; i < in->plan.count; i++) {
    in->op = i;
    in->detail_length = 0;
    uint64_t start = in->trace ? now_ns() : 0;
    error = perform(in, &in->plan.ops[i]);
    if (error != 0)
      init_fail(in, error);
    if (in->trace)
      tell_trace(in, now_ns() - start);
  }
  end_process(0); /* a plan without `exec`: all is done */
}
