/* The record of an end: exit.json, and what says whether memory was wanting. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/write.h"
#include "monitor.h"
#include "text.h"

#define TEXT_MAX 256

static char *put_field(char *to, const char *name, uint32_t value) {
  return put_number(put_text(to, name), value);
}

static char *put_truth(char *to, const char *name, bool value) {
  return put_text(put_text(to, name), value ? "true" : "false");
}

/* {"pid":1,"code":137,"signal":9,"core":false,"oom":false,"at":"TIME"}; and before `at`: "executed":false */
static size_t record_text(const struct ending *ending, char *text) {
  const struct body_ending *e = &ending->body;
  char *to = put_field(text, "{\"pid\":", (uint32_t)e->pid);
  to = put_field(to, ",\"code\":", (uint32_t)e->code);
  to = put_field(to, ",\"signal\":", (uint32_t)e->signal);
  to = put_truth(to, ",\"core\":", e->flags & BODY_CORE);
  to = put_truth(to, ",\"oom\":", e->flags & BODY_OOM);
  if (e->flags & BODY_UNEXECUTED)
    to = put_truth(to, ",\"executed\":", false);
  to = put_time(put_text(to, ",\"at\":\""), ending->time);
  return (size_t)(put_text(to, "\"}\n") - text);
}

static const char fresh[] = ".exit.json";

int record_prepare(int directory) {
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  int fd = (int)RETRY(openat(directory, fresh, flags, 0600));
  if (fd < 0)
    return fd;
  int error = (int)RETRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, TEXT_MAX));
  if (error == 0 || error == -EOPNOTSUPP)
    return fd;
  close(fd);
  unlinkat(directory, fresh, 0);
  return error;
}

/* By way of another name: whoever finds the record finds all of it. */
int record_write(int directory, int file, const struct ending *ending) {
  char text[TEXT_MAX];
  int error = write_all(file, text, record_text(ending, text));
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
