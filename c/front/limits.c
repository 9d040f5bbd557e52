#include "limits.h"

#include <stdint.h>

#include "syscall.h"
#include "text.h"

#define RLIMIT_NPROC_NUMBER 6
#define FEW_PROCESSES 4096
#define WAIT_ALL 0x40000000 /* __WALL */
#define MB (UINT64_C(1) << 20)

/* struct rlimit64 */
struct limit {
  uint64_t soft, hard;
};

/* No pointers: nobody would relocate them. */
struct need {
  uint32_t resource;
  uint64_t wanted;
  uint64_t least; /* it runs, if nothing unusual is asked for */
  char name[16];
};

static const struct need needs[] = {
    {1, 16 * MB, 16 * MB, "RLIMIT_FSIZE"}, /* files in memory: the longest plan */
    {2, 256 * MB, 32 * MB, "RLIMIT_DATA"},
    {3, 2 * MB, MB / 2, "RLIMIT_STACK"},              /* V8 takes a megabyte to be there */
    {7, UINT64_MAX, 32, "RLIMIT_NOFILE"},             /* Deno itself raises it as far as it can */
    {9, 64 * 1024 * MB, 48 * 1024 * MB, "RLIMIT_AS"}, /* V8 reserves address space */
};

static char *put_limit(char *to, const struct need *need, const struct limit *limit) {
  to = put_string(put_decimal(to, need->resource), ":");
  to = put_string(put_decimal(to, limit->soft), ":");
  return put_string(put_decimal(to, limit->hard), " ");
}

static void put_attempt(char *to, const struct need *need, const struct limit *former) {
  to = put_string(put_string(put_string(to, "raise "), need->name), " from ");
  to = put_string(put_decimal(to, former->hard), " to ");
  put_decimal(to, need->least);
}

long raise_limits(char *to) {
  char *start = to;
  *to = 0;
  for (unsigned i = 0; i < sizeof needs / sizeof *needs; i++) {
    const struct need *need = &needs[i];
    struct limit former, raised;
    long result = sys4(SYS_PRLIMIT64, 0, need->resource, 0, (long)&former);
    if (result < 0)
      continue; /* a filter forbids the call: Deno may do without */
    if (former.soft >= need->wanted || (former.soft == former.hard && former.hard >= need->least))
      continue;
    raised.soft = raised.hard = former.hard > need->least ? former.hard : need->least;
    result = sys4(SYS_PRLIMIT64, 0, need->resource, (long)&raised, 0);
    if (result < 0) {
      put_attempt(start, need, &former);
      return result;
    }
    to = put_limit(to, need, &former);
  }
  return 0;
}

long try_process(void) {
  struct limit limit;
  long pid = sys4(SYS_PRLIMIT64, 0, RLIMIT_NPROC_NUMBER, 0, (long)&limit);
  if (pid < 0 || limit.soft >= FEW_PROCESSES)
    return 0;
  pid = sys6(SYS_CLONE, 0, 0, 0, 0, 0, 0); /* without a signal at its end */
  if (pid == 0)
    for (;;)
      sys1(SYS_EXIT_GROUP, 0);
  if (pid < 0)
    return pid;
  sys4(SYS_WAIT4, pid, 0, WAIT_ALL, 0);
  return 0;
}
