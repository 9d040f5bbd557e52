/* The master of a program's terminal. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "monitor.h"

#define NAME_MAX_LENGTH 64

static void set_size(struct process *p) {
  struct winsize size = {.ws_row = p->height, .ws_col = p->width};
  if (p->width > 0 || p->height > 0)
    ioctl(p->output[0].source.fd, TIOCSWINSZ, &size);
}

int terminal_resize(struct process *p, uint32_t width, uint32_t height) {
  if (!p->terminal)
    return -ENOTTY;
  if (width > UINT16_MAX || height > UINT16_MAX)
    return -EINVAL;
  p->width = (uint16_t)width;
  p->height = (uint16_t)height;
  if (p->output[0].source.fd >= 0) /* else once it is there */
    set_size(p);
  return 0;
}

static void take_master(struct process *p, int master) {
  fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
  p->output[0].source.fd = master;
  p->input.source.fd = (int)RETRY(fcntl(master, F_DUPFD_CLOEXEC, 0));
  set_size(p);
  if (p->pid != 0 || p->kept)
    streams_begin(p);
  feed_go_on(p);
}

/* One message: the terminal's name, and the master. */
static void console_ready(struct source *source, uint32_t events) {
  struct process *p = (struct process *)((char *)source - offsetof(struct process, console));
  char name[NAME_MAX_LENGTH];
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec data = {name, sizeof name};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  int master = -1;
  (void)events;
  long length = RECEIVE(recvmsg(source->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
  if (length == -EAGAIN)
    return;
  struct cmsghdr *rights = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (rights && rights->cmsg_type == SCM_RIGHTS && rights->cmsg_len == CMSG_LEN(sizeof master))
    memcpy(&master, CMSG_DATA(rights), sizeof master);
  loop_remove(source);
  if (master >= 0)
    take_master(p, master);
}

void console_look(struct process *p) {
  if (p->console.fd >= 0)
    console_ready(&p->console, 0);
}

int console_make(struct process *p, int32_t *slot) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return -errno;
  p->terminal = true;
  if (*slot >= 0)
    close(*slot);
  *slot = fds[1];
  int error = loop_add(&p->console, fds[0], EPOLLIN, console_ready);
  if (error != 0)
    close(fds[0]);
  return error;
}
