/* The brain that a monitor in shim mode works for. Where there is none, one is started, less often if that fails. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../common/exit_info.h"
#include "shim.h"

#define NS_PER_MS UINT64_C(1000000)
#define SOCKET "/shim.sock"
#define LOCK "/shim.lock"
/* Between two looks for a brain. */
#define LOOK_FIRST (2 * NS_PER_MS)
#define LOOK_MAX (20 * NS_PER_MS)
/* Between two starts that came to nothing. */
#define START_FIRST (100 * NS_PER_MS)
#define START_MAX (5000 * NS_PER_MS)
/* How long a brain whose connection has ended may take to end, and its parent to reap it. */
#define VERDICT_MAX (2000 * NS_PER_MS)
/* What the brain may be behind with, in bytes. */
#define ROOM (8 << 20)

static struct shim {
  char *name, *directory, *path;
  int file; /* the command */
  struct connection *brain;
  int32_t pidfd;                /* of the brain that there is, or was; -1: it is not known */
  bool works;                   /* it has said so */
  uint64_t ended;               /* when it has ended, as long as it is not known how */
  uint64_t due, pause;          /* when to look again; 0: not */
  uint64_t next_start, backoff; /* when one may be started */
} shim = {.file = -1, .pidfd = -1};

struct connection *link_brain(void) {
  return shim.brain;
}

static int put_path(struct sockaddr_un *to, const char *file) {
  size_t length = strlen(shim.directory), more = strlen(file) + 1;
  *to = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (length + more > sizeof to->sun_path)
    return -ENAMETOOLONG;
  memcpy(to->sun_path, shim.directory, length);
  memcpy(to->sun_path + length, file, more);
  return 0;
}

/* 0, or -errno: ECONNREFUSED, ENOENT where there is no brain, EAGAIN when it is behind. */
static int greet(int theirs) {
  struct sockaddr_un to;
  struct body_greeting greeting = {BODY_GREETING_MONITOR, getpid()};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {.bytes = {0}};
  struct iovec data[] = {{&greeting, sizeof greeting}, {shim.name, strlen(shim.name) + 1}};
  struct msghdr message = {.msg_name = &to,
                           .msg_namelen = sizeof to,
                           .msg_iov = data,
                           .msg_iovlen = 2,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof theirs);
  memcpy(CMSG_DATA(&control.header), &theirs, sizeof theirs);
  int error = put_path(&to, SOCKET);
  CLEANUP_FD int fd = (int)RETRY(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (error != 0 || fd < 0)
    return error ? error : fd;
  long sent = RETRY(sendmsg(fd, &message, MSG_NOSIGNAL));
  return sent < 0 ? (int)sent : 0;
}

static int link_make(void) {
  int fds[2], room = ROOM;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
    return -errno;
  if (setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  int error = greet(fds[1]);
  close(fds[1]);
  if (error == 0)
    error = connection_take(fds[0], &shim.brain);
  else
    close(fds[0]);
  return error;
}

/* The socket is there before the brain is: greetings wait in it. */
static int bind_greetings(void) {
  struct sockaddr_un to;
  int error = put_path(&to, SOCKET), fd = -1;
  if (error != 0)
    return error;
  unlink(to.sun_path);
  fd = (int)RETRY(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  mode_t before = umask(0177);
  if (fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof to) != 0) {
    error = -errno;
    close(fd);
    fd = error;
  }
  umask(before);
  return fd;
}

/* Who has the lock is the brain, or about to be. */
static void start_brain(void) {
  struct sockaddr_un lock;
  if (now_ns() < shim.next_start || put_path(&lock, LOCK) != 0)
    return;
  CLEANUP_FD int32_t fd =
      (int32_t)RETRY(open(lock.sun_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd < 0 || RETRY(flock(fd, LOCK_EX | LOCK_NB)) != 0)
    return;
  uint64_t backoff = shim.backoff > 0 ? shim.backoff : START_FIRST;
  shim.next_start = now_ns() + backoff;
  shim.backoff = 2 * backoff < START_MAX ? 2 * backoff : START_MAX;
  CLEANUP_FD int32_t greetings = bind_greetings();
  if (greetings >= 0)
    program_start(shim.file, (int32_t[]){fd, greetings}, 2, true);
}

static void look_again(bool soon) {
  shim.pause = soon || shim.pause == 0 ? LOOK_FIRST : 2 * shim.pause;
  if (shim.pause > LOOK_MAX)
    shim.pause = LOOK_MAX;
  shim.due = now_ns() + shim.pause;
}

void link_know(int32_t *pidfd) {
  if (shim.pidfd >= 0)
    close(shim.pidfd);
  shim.pidfd = *pidfd;
  shim.works = shim.pidfd >= 0;
  *pidfd = -1;
}

/* How the brain has ended is told to whom it concerns, once that is known: whether it is. */
static bool judge(void) {
  int32_t none = -1;
  if (shim.ended == 0)
    return true;
  int status = 0, known = shim.pidfd < 0 ? -EBADF : exit_info(shim.pidfd, &status);
  if (known <= 0 && shim.pidfd >= 0 && zombie_info(shim.pidfd, &status))
    known = 1;
  if (known == 0 && now_ns() - shim.ended < VERDICT_MAX)
    return false;
  shim.ended = 0;
  link_know(&none);
  frames_judge(known > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  return true;
}

static void look(void) {
  if (!judge()) {
    look_again(true);
    return;
  }
  int error = link_make();
  if (error == -ECONNREFUSED || error == -ENOENT) {
    start_brain();
    error = link_make();
  }
  if (error != 0) {
    look_again(false);
    return;
  }
  shim.due = shim.pause = 0;
  frames_tell();
}

void link_wanted(void) {
  if (shim.name && !shim.brain && shim.due == 0)
    look();
}

void link_works(void) {
  shim.backoff = shim.next_start = 0;
}

void link_ended(const struct connection *c) {
  if (c != shim.brain)
    return;
  shim.brain = NULL;
  shim.ended = now_ns();
  frames_return(shim.works);
  look_again(true);
}

uint64_t link_due(void) {
  if (shim.due == 0 || now_ns() < shim.due)
    return shim.due;
  shim.due = 0;
  look();
  return shim.due;
}

int link_start(const char *name, const char *directory, const char *path, int *file) {
  if (shim.name)
    return -EBUSY;
  shim.name = strdup(name);
  shim.directory = strdup(directory);
  shim.path = strdup(path);
  if (!shim.name || !shim.directory || !shim.path)
    return -ENOMEM;
  shim.file = *file;
  *file = -1;
  look();
  return 0;
}

bool is_shim(void) {
  return shim.name != NULL;
}

void shim_end(void) {
  if (shim.path)
    unlink(shim.path);
}
