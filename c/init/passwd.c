#define _GNU_SOURCE 1
#include "passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/retry.h"

#define LINE_MAX_LENGTH 8192        /* longer lines are passed over */
#define FILE_MAX (16 * 1024 * 1024) /* bytes looked at */

enum { FIELD_NAME, FIELD_PASSWORD, FIELD_UID, FIELD_GID, FIELD_GECOS, FIELD_HOME, FIELD_SHELL };

int passwd_line_home(char *line, uint64_t uid, char out[PATH_MAX]) {
  char *field[FIELD_SHELL + 1] = {NULL};
  for (int i = 0; i <= FIELD_SHELL && line; i++)
    field[i] = strsep(&line, ":");
  if (!field[FIELD_HOME] || *field[FIELD_UID] < '0' || *field[FIELD_UID] > '9')
    return false;
  char *end;
  errno = 0;
  unsigned long long number = strtoull(field[FIELD_UID], &end, 10);
  if (*end || errno != 0 || number != uid)
    return false;
  size_t length = strlen(field[FIELD_HOME]);
  if (length == 0 || length >= PATH_MAX)
    return false;
  memcpy(out, field[FIELD_HOME], length + 1);
  return true;
}

/* Looks at every line of the file. */
static bool search(int fd, uint64_t uid, char out[PATH_MAX]) {
  char buffer[LINE_MAX_LENGTH + 1];
  size_t held = 0, total = 0;
  bool overlong = false;
  for (;;) {
    long got = RETRY(read(fd, buffer + held, LINE_MAX_LENGTH - held));
    if (got < 0 || (total += (size_t)got) > FILE_MAX)
      return false;
    held += (size_t)got;
    if (got == 0 && held == 0)
      return false;
    if (got == 0)
      buffer[held++] = '\n'; /* the last line may lack it */
    char *line = buffer, *newline;
    while ((newline = memchr(line, '\n', held - (size_t)(line - buffer)))) {
      *newline = '\0';
      if (!overlong && passwd_line_home(line, uid, out))
        return true;
      overlong = false;
      line = newline + 1;
    }
    held -= (size_t)(line - buffer);
    memmove(buffer, line, held);
    if (got == 0)
      return false;
    if (held == LINE_MAX_LENGTH) {
      overlong = true;
      held = 0;
    }
  }
}

void passwd_home(uint64_t uid, char out[PATH_MAX]) {
  struct stat file;
  int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  bool found = fd >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && search(fd, uid, out);
  if (fd >= 0)
    close(fd);
  if (!found)
    memcpy(out, "/", 2);
}
