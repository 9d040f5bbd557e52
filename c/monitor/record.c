/* The record of an end: exit.json, and what says whether memory was wanting. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/write.h"
#include "monitor.h"
#include "time_text.h"

#define RECORD_MAX 256

static const char *truth(bool value) {
  return value ? "true" : "false";
}

/* By way of another name: whoever finds the record finds all of it. */
int record_write(int directory, const struct ending *ending) {
  static const char fresh[] = ".exit.json";
  const struct body_ending *e = &ending->body;
  char time[TIME_TEXT + 1] = "", text[RECORD_MAX];
  time_text(ending->time, time);
  int length = snprintf(
      text, sizeof text,
      "{\"pid\":%d,\"code\":%d,\"signal\":%d,\"core\":%s,\"oom\":%s,\"at\":\"%s\"}\n", e->pid,
      e->code, e->signal, truth(e->flags & BODY_CORE), truth(e->flags & BODY_OOM), time);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  int fd = (int)RETRY(openat(directory, fresh, flags, 0600));
  if (fd < 0)
    return fd;
  int error = write_all(fd, text, (size_t)length);
  close(fd);
  return error ? error : (int)RETRY(renameat(directory, fresh, directory, "exit.json"));
}

uint64_t oom_kills_of(int fd) {
  static const char word[] = "oom_kill ";
  char text[1024];
  long length = fd < 0 ? -1 : RETRY(pread(fd, text, sizeof text - 1, 0));
  if (length <= 0)
    return 0;
  text[length] = '\0';
  for (const char *line = text; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL)
    if (strncmp(line, word, sizeof word - 1) == 0)
      return strtoull(line + sizeof word - 1, NULL, 10);
  return 0;
}
