/*
 * `start` of a shim asks the brain, where there is one; the monitor, if there is to be one, is our child, so that it
 * is in the place where containerd has put us. `delete` has nothing to do where no task is left.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "../include/body.h"
#include "files.h"
#include "root.h"
#include "syscall.h"
#include "text.h"
#include "verbs.h"
#include "wait.h"

/* How long the brain may take; it was asked by nobody but us, and a start of Deno takes 20. */
#define PATIENCE_MS 5000
#define WORDS_ROOM 8192
#define SCORE_MAX 1000
/* The monitor's connection, behind its standard streams. */
#define CONNECTION 4

/* A flag as Go takes it: with one dash, or two. */
static int is_flag(const char *word, const char *name) {
  const char *rest = after(word, "-");
  return rest && is_same(*rest == '-' ? rest + 1 : rest, name);
}

static int has_value(const char *word) {
  return is_flag(word, "id") || is_flag(word, "namespace") || is_flag(word, "address") ||
         is_flag(word, "publish-binary") || is_flag(word, "bundle");
}

/* The last word; NULL where there is a flag that we do not know. */
static const char *verb_of(char **words, const char **bundle) {
  *bundle = NULL;
  for (; *words && **words == '-'; words++) {
    if (is_flag(*words, "debug"))
      continue;
    if (!has_value(*words) || !words[1])
      return NULL;
    if (is_flag(*words, "bundle"))
      *bundle = words[1];
    words++;
  }
  return *words && !words[1] ? *words : NULL;
}

static char *put_words(char *to, const char *end, char **words) {
  for (; *words; words++) {
    if (to + length(*words) + 2 > end)
      return NULL;
    to = put_string(to, *words) + 1;
  }
  *to = 0;
  return to + 1;
}

/* Those that the brain asks for. */
static int is_wanted(const char *entry) {
  return after(entry, "TTRPC_ADDRESS=") || after(entry, "RUNTS_BRAIN=");
}

static char *put_variables(char *to, const char *end, char **env) {
  for (; *env; env++) {
    char *one[2] = {*env, NULL};
    if (is_wanted(*env) && !(to = put_words(to, end, one)))
      return NULL;
    if (is_wanted(*env))
      to--; /* the empty word comes once */
  }
  *to = 0;
  return to + 1;
}

union rights {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(3 * sizeof(int))];
};

static int put_address(struct sockaddr_un *to, char **env) {
  const char *directory = variable(env, "RUNTS_BRAIN=");
  char *path = to->sun_path;
  if (!directory)
    directory = "/run/runts/.brain";
  if (length(directory) + sizeof "/shim.sock" > sizeof to->sun_path)
    return 0;
  to->sun_family = AF_UNIX;
  put_string(put_string(path, directory), "/shim.sock");
  return 1;
}

/* Asks the brain; our end of the pair, or a negative error number. */
static long ask(char **words, char **env) {
  struct {
    struct body_greeting greeting;
    char text[WORDS_ROOM];
  } packet;
  struct sockaddr_un to;
  union rights control;
  int pair[2], *fds = (int *)CMSG_DATA(&control.header);
  char *end = put_words(packet.text, packet.text + WORDS_ROOM, words);
  if (end)
    end = put_variables(end, packet.text + WORDS_ROOM, env);
  if (!end || !put_address(&to, env))
    return -E2BIG;
  packet.greeting.kind = BODY_GREETING_START;
  packet.greeting.pid = (int32_t)sys1(SYS_GETPID, 0);
  long fd = sys3(SYS_SOCKET, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  long here = sys4(SYS_OPENAT, AT_FDCWD, (long)".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  long error = sys4(SYS_SOCKETPAIR, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, (long)pair);
  if (fd < 0 || here < 0 || error < 0)
    return -EMFILE;
  fds[0] = pair[1];
  fds[1] = (int)here;
  fds[2] = 0;
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(3 * sizeof(int));
  struct iovec data = {&packet, (size_t)(end - (char *)&packet)};
  struct msghdr message = {.msg_name = &to,
                           .msg_namelen = sizeof to,
                           .msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  error = sys3(SYS_SENDMSG, fd, (long)&message, MSG_NOSIGNAL);
  sys1(SYS_CLOSE, fd);
  sys1(SYS_CLOSE, here);
  sys1(SYS_CLOSE, pair[1]);
  return error < 0 ? error : pair[0];
}

static void put_score(const char *file, const char *text) {
  long fd = sys4(SYS_OPENAT, AT_FDCWD, (long)file, O_WRONLY | O_CLOEXEC, 0);
  if (fd >= 0)
    sys3(SYS_WRITE, fd, (long)text, (long)length(text));
}

/* The kernel takes the monitor before containerd, our parent. */
static void raise_score(void) {
  char path[64], text[32];
  put_string(put_decimal(put_string(path, "/proc/"), (uint64_t)sys1(SYS_GETPPID, 0)),
             "/oom_score_adj");
  if (read_small(AT_FDCWD, path, text, sizeof text) < 0)
    return;
  const char *at = text + (*text == '-');
  int64_t score = take_decimal(&at);
  score = *text == '-' ? 1 - score : score + 1;
  if (score > SCORE_MAX)
    score = SCORE_MAX;
  put_decimal(put_string(text, score < 0 ? "-" : ""), (uint64_t)(score < 0 ? -score : score));
  put_score("/proc/self/oom_score_adj", text);
}

static void run_monitor(int image, int connection, const char *title) {
  const char *argv[] = {"runts-monitor", "-1", "4", "10000", title, NULL};
  const char *env[] = {NULL};
  raise_score();
  if (sys6(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0) != 0)
    return;
  sys1(SYS_SETSID, 0);
  long null = sys4(SYS_OPENAT, AT_FDCWD, (long)"/dev/null", O_RDWR | O_CLOEXEC, 0);
  long copy = sys3(SYS_FCNTL, image, F_DUPFD_CLOEXEC, 16);
  long socket = sys3(SYS_FCNTL, connection, F_DUPFD_CLOEXEC, 16);
  for (int fd = 0; fd < 3; fd++)
    sys3(SYS_DUP3, null, fd, 0);
  sys3(SYS_DUP3, socket, CONNECTION, 0);
  sys1(SYS_CLOSE, 3);
  sys3(SYS_CLOSE_RANGE, CONNECTION + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  sys6(SYS_EXECVEAT, copy, (long)"", (long)argv, (long)env, AT_EMPTY_PATH, 0);
  for (;;)
    sys1(SYS_EXIT_GROUP, 1);
}

static int write_out(int fd, const char *bytes, long left) {
  while (left > 0) {
    long written = sys3(SYS_WRITE, fd, (long)bytes, left);
    if (written <= 0)
      return 1;
    bytes += written;
    left -= written;
  }
  return 0;
}

/* What is there; its bytes, or 0 when the brain has gone. */
static long receive(long socket, void *bytes, size_t size, int fds[2]) {
  union rights control;
  struct iovec data = {bytes, size};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct pollfd polled = {.fd = (int)socket, .events = POLLIN};
  if (wait_for(&polled, 1, PATIENCE_MS) <= 0)
    return 0;
  long length = sys3(SYS_RECVMSG, socket, (long)&message, MSG_CMSG_CLOEXEC);
  fds[0] = fds[1] = -1;
  if (length > 0 && message.msg_controllen >= CMSG_LEN(2 * sizeof *fds)) {
    const int *given = (const int *)CMSG_DATA(&control.header);
    fds[0] = given[0];
    fds[1] = given[1];
  }
  return length;
}

/* Until the brain has said something, Deno can do it as well. */
static int start(char **words, char **env) {
  struct {
    struct body_starting starting;
    char text[4096];
  } packet;
  int fds[2];
  /* Sharing no core with others is rare, and has to be told of where it fails. */
  long socket = variable(env, "SCHED_CORE=") ? -ENOSYS : ask(words, env);
  if (socket < 0)
    return COLD;
  for (;;) {
    long size = receive(socket, &packet, sizeof packet - 1, fds);
    if (size < (long)sizeof packet.starting)
      return COLD; /* a monitor that nobody has told what to do ends by itself */
    size -= (long)sizeof packet.starting;
    packet.text[size] = 0;
    switch (packet.starting.kind) {
    case BODY_STARTING_MONITOR:
      run_monitor(fds[0], fds[1], packet.text);
      sys1(SYS_CLOSE, fds[0]);
      sys1(SYS_CLOSE, fds[1]);
      break;
    case BODY_STARTING_SAY:
      return write_out(1, packet.text, size);
    case BODY_STARTING_FAIL:
      write_out(2, packet.text, size);
      return 1;
    default:
      return COLD;
    }
  }
}

/* Whether somebody listens at the address that the file has, or there is no such socket. */
static int is_tidy(const char *file) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  char text[sizeof to.sun_path + 8];
  long size = read_small(AT_FDCWD, file, text, sizeof text);
  const char *path = size > 0 ? after(text, "unix://") : NULL;
  if (!path || length(path) >= sizeof to.sun_path)
    return 0;
  put_string(to.sun_path, path);
  long fd = sys3(SYS_SOCKET, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  long error = sys3(SYS_CONNECT, fd, (long)&to, sizeof to);
  sys1(SYS_CLOSE, fd);
  return error == 0 || error == -ENOENT;
}

static char *put_varint(char *to, uint64_t value) {
  for (; value > 0x7f; value >>= 7)
    *to++ = (char)(value | 0x80);
  *to++ = (char)value;
  return to;
}

/* DeleteResponse { exit_status 2: 137, exited_at 3 { seconds 1 } }, as protocol buffers have it. */
static int say_deleted(void) {
  char bytes[32] = {0x10, (char)0x89, 0x01, 0x1a}, seconds[12] = {0x08};
  struct timespec now = {0};
  sys2(SYS_CLOCK_GETTIME, CLOCK_REALTIME, (long)&now);
  long size = put_varint(seconds + 1, (uint64_t)now.tv_sec) - seconds;
  bytes[4] = (char)size;
  for (long i = 0; i < size; i++)
    bytes[5 + i] = seconds[i];
  return write_out(1, bytes, 5 + size);
}

static int is_there(const char *bundle, const char *name, struct statx *st) {
  char path[PATH_ROOM];
  put_string(put_string(path, bundle), name);
  long error = look_at(AT_FDCWD, path, st);
  return error == 0 ? 1 : error == -ENOENT ? 0 : -1;
}

/* The brain has removed the mark once nothing was left of the task. */
static int delete (const char *bundle) {
  char address[PATH_ROOM];
  struct statx st;
  if (!bundle || *bundle != '/' || length(bundle) > PATH_ROOM - 16 ||
      is_there(bundle, "/runts-task", &st) != 0)
    return COLD;
  int rootfs = is_there(bundle, "/rootfs", &st);
  if (rootfs < 0 || (rootfs == 1 && (!(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ||
                                     st.stx_attributes & STATX_ATTR_MOUNT_ROOT)))
    return COLD;
  put_string(put_string(address, bundle), "/address");
  return is_tidy(address) ? say_deleted() : COLD;
}

int be_shim(char **words, char **env) {
  const char *bundle, *verb = verb_of(words, &bundle);
  if (!verb || variable(env, "RUNTS_TEST_COLD="))
    return COLD;
  if (is_same(verb, "start"))
    return start(words, env);
  return is_same(verb, "delete") ? delete (bundle) : COLD;
}
