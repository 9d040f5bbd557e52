#include "say.h"

#include <errno.h>

#include "limits.h"
#include "syscall.h"
#include "text.h"

/* The errors that a caller can do something about. */
static char *put_error(char *to, long number) {
  switch (number) {
  case EPERM:
    return put_string(to, "EPERM (operation not permitted)");
  case ENOENT:
    return put_string(to, "ENOENT (no such file or directory)");
  case ENOEXEC:
    return put_string(to, "ENOEXEC (exec format error)");
  case ENOMEM:
    return put_string(to, "ENOMEM (out of memory)");
  case EAGAIN:
    return put_string(to, "EAGAIN (resource temporarily unavailable)");
  case EACCES:
    return put_string(to, "EACCES (permission denied)");
  case ENFILE:
    return put_string(to, "ENFILE (too many open files in the system)");
  case EMFILE:
    return put_string(to, "EMFILE (too many open files)");
  default:
    return put_decimal(put_string(to, "errno "), (unsigned long)number);
  }
}

void die(const char *what, long negative_errno, const char *hint, int exit_code) {
  char line[LIMITS_ROOM + 128];
  char *end = put_string(line, "runts: cannot start: ");
  end = put_string(end, what);
  end = put_error(put_string(end, ": "), -negative_errno);
  end = put_string(end, hint);
  *end++ = '\n';
  sys3(SYS_WRITE, 2, (long)line, end - line);
  for (;;) {
    sys1(SYS_EXIT_GROUP, exit_code);
    __builtin_trap(); /* a filter refuses even that */
  }
}

long check(const char *what, long result) {
  if (result < 0)
    die(what, result, "", 1);
  return result;
}
