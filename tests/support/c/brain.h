/* A brain that talks to the monitor in this very process, and a stand-in for starting init. */
#ifndef TEST_BRAIN_H
#define TEST_BRAIN_H

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../../../c/common/memfd.h"
#include "../../../c/common/spawn.h"
#include "log.h"

#define TURN_NS (5 * UINT64_C(1000000))
#define PATIENCE_NS (UINT64_C(60) * 1000000000)

/* What came as a reply or as an event. */
struct heard {
  struct body_reply head;
  union {
    struct body_hello hello;
    struct body_spawned spawned;
    struct body_ending ending;
    struct body_subscribed subscribed;
    struct body_ended ended;
    struct body_status status;
    struct body_frame frame;
    char bytes[512];
  } fields;
};

static inline bool is_readable(int fd) {
  struct pollfd polled = {.fd = fd, .events = POLLIN};
  return poll(&polled, 1, 0) > 0;
}

/* Lets the monitor work until something can be read there. */
static inline void work_until(int fd) {
  for (uint64_t end = now_ns() + PATIENCE_NS; !is_readable(fd);) {
    loop_turn(now_ns() + TURN_NS);
    NEED(now_ns() < end);
  }
}

/* Lets the monitor work until it has nothing to do. */
static inline void work(void) {
  while (loop_turn(now_ns() + TURN_NS))
    continue;
}

static inline int connect_brain(void) {
  int pair[2];
  NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  NEED(connection_take(pair[1], NULL) == 0);
  return pair[0];
}

union test_rights {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(BODY_FDS_MAX * sizeof(int))];
};

static inline void say_bytes(int brain, const void *bytes, size_t length, const int *fds,
                             size_t count) {
  union test_rights control = {.bytes = {0}};
  struct iovec data = {(void *)(uintptr_t)bytes, length};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
  }
  NEED(sendmsg(brain, &message, MSG_NOSIGNAL) == (ssize_t)length);
}

/* The next packet; its descriptors, of which there are two at the most. */
static inline struct heard hear(int brain, int fds[2]) {
  struct heard heard = {0};
  union test_rights control;
  struct iovec data = {&heard, sizeof heard};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  work_until(brain);
  NEED(recvmsg(brain, &message, MSG_CMSG_CLOEXEC) >= (ssize_t)sizeof heard.head);
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  fds[0] = fds[1] = -1;
  if (rights)
    memcpy(fds, CMSG_DATA(rights), rights->cmsg_len - CMSG_LEN(0));
  return heard;
}

/* A request of an operation with fields and texts. */
static inline void say(int brain, uint32_t operation, const void *fields, size_t size,
                       const char *texts, size_t length, const int *fds, size_t count) {
  uint8_t bytes[1024];
  const struct body_header header = {operation, 1};
  NEED(sizeof header + size + length <= sizeof bytes);
  memcpy(bytes, &header, sizeof header);
  if (size > 0)
    memcpy(bytes + sizeof header, fields, size);
  if (length > 0)
    memcpy(bytes + sizeof header + size, texts, length);
  say_bytes(brain, bytes, sizeof header + size + length, fds, count);
}

static inline size_t count_descriptors(void) {
  size_t count = 0;
  DIR *folder_of_fds = opendir("/proc/self/fd");
  NEED(folder_of_fds);
  while (readdir(folder_of_fds))
    count++;
  closedir(folder_of_fds);
  return count;
}

/* Makes a terminal and sends its master, as init does. */
static inline void child_terminal(int console) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || unlockpt(master) != 0)
    _exit(99);
  setsid();
  int terminal = open(ptsname(master), O_RDWR);
  say_bytes(console, "/dev/pts/0", 10, &master, 1);
  close(master);
  for (int fd = 0; fd < 3; fd++)
    dup2(terminal, fd);
}

/* The plan is a line for sh; the first slot, if there is a descriptor, is the console. */
int spawn_init(const struct spawn *spawn, int32_t spawned[SPAWNED_COUNT]) {
  char line[256] = "";
  int pair[2];
  NEED(pread(spawn->plan, line, sizeof line - 1, 0) >= 0);
  NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (spawn->count > 0 && spawn->fds[0] >= 0)
      child_terminal(spawn->fds[0]);
    else
      for (int fd = 0; fd < 3; fd++)
        dup2(spawn->stdio[fd], fd);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
  }
  close(pair[1]);
  spawned[SPAWNED_PID] = pid;
  spawned[SPAWNED_PIDFD] = (int)syscall(NR_PIDFD_OPEN, pid, 0);
  spawned[SPAWNED_SOCKET] = pair[0];
  return 0;
}

#endif
