/* Lines of the fifo `control`, for shells. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "monitor.h"
#include "text.h"

static void take_resize(struct process *p, const char *line) {
  uint32_t width, height;
  const char *rest = take_number(line, UINT16_MAX, &width);
  if (rest && *rest == ' ')
    rest = take_number(rest + 1, UINT16_MAX, &height);
  else
    rest = NULL;
  if (rest && *rest == '\0')
    terminal_resize(p, width, height);
}

/* What is not known is ignored. */
static void take_line(struct process *p, const char *line) {
  static const char resize[] = "resize ";
  if (strcmp(line, "close-stdin") == 0)
    input_finish(p);
  else if (strncmp(line, resize, sizeof resize - 1) == 0)
    take_resize(p, line + sizeof resize - 1);
}

static void take_byte(struct process *p, char byte) {
  struct control *c = &p->control;
  if (byte != '\n') {
    if (c->length < sizeof c->line) /* a full one is too long for any line that we know */
      c->line[c->length++] = byte;
    return;
  }
  if (c->length < sizeof c->line) {
    c->line[c->length] = '\0';
    take_line(p, c->line);
  }
  c->length = 0;
}

static void control_ready(struct source *source, uint32_t events) {
  struct process *p = (struct process *)((char *)source - offsetof(struct process, control));
  char bytes[256];
  (void)events;
  long length = RETRY(read(source->fd, bytes, sizeof bytes));
  for (long i = 0; i < length; i++)
    take_byte(p, bytes[i]);
}

/* We are a writer of it as well: it has no end. */
void control_open(struct process *p) {
  int fd = (int)RETRY(openat(p->directory, "control", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd >= 0 && loop_add(&p->control.source, fd, EPOLLIN, control_ready) != 0)
    close(fd);
}
