/*
 * Fifos of clients that are held until the process that they are for is made, however often that is begun: a
 * client takes it for the end of the process when nobody has a fifo open any more, as after the death of a brain.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

struct fifo {
  struct fifo *next;
  int fd;
  const char *path; /* behind the name */
  char name[];
};

static struct fifo *fifos;

static struct fifo *fifo_find(const char *name, const char *path) {
  struct fifo *f = fifos;
  while (f && (strcmp(f->name, name) != 0 || strcmp(f->path, path) != 0))
    f = f->next;
  return f;
}

/* Whoever reads it must be there first, or what is in it would be lost; then it is held both ways. */
static int fifo_take(const char *path, bool read) {
  const int flags = O_NONBLOCK | O_CLOEXEC;
  CLEANUP_FD int writer = read ? (int)RETRY(open(path, O_WRONLY | flags)) : -1;
  if (read && writer < 0)
    return writer;
  return (int)RETRY(open(path, O_RDWR | flags));
}

static int fifo_add(const char *name, const char *path, int fd) {
  size_t size = strlen(name) + 1;
  struct fifo *f = calloc(1, sizeof *f + size + strlen(path) + 1);
  if (!f)
    return -ENOMEM;
  strcpy(f->name, name);
  f->path = strcpy(f->name + size, path);
  f->fd = fd;
  f->next = fifos;
  fifos = f;
  return 0;
}

int fifo_open(const char *name, const char *path, bool read, int32_t *copy) {
  struct fifo *known = fifo_find(name, path);
  int fd = known ? known->fd : fifo_take(path, read);
  if (fd < 0)
    return fd;
  int error = known ? 0 : fifo_add(name, path, fd);
  *copy = error ? error : (int32_t)RETRY(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (error != 0)
    close(fd);
  return *copy < 0 ? *copy : 0;
}

void fifos_drop(const char *name) {
  for (struct fifo **at = &fifos; *at;) {
    struct fifo *f = *at;
    if (strcmp(f->name, name) != 0) {
      at = &f->next;
      continue;
    }
    *at = f->next;
    close(f->fd);
    free(f);
  }
}
