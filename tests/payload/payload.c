/*
 * What a program in a container sees, and what it can be made to do.
 *
 *   report        everything that it sees, as one JSON object
 *   print N       N bytes of output, then their checksum on standard error
 *   exit N        ends with that code
 *   signals       blocks all signals, prints "ready", then the number of each one that comes;
 *                 ends on SIGTERM
 *   sizes         prints the size of its terminal, and again after each SIGWINCH
 *   orphans N     leaves N children of a child that is gone, each of which ends at once
 *   notify TEXT   sends a datagram to NOTIFY_SOCKET; with `barrier` one with a pipe's end, too
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

extern char **environ;

static void put_text(const char *text) {
  putchar('"');
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\')
      printf("\\%c", *c);
    else if (*c < ' ')
      printf("\\u%04x", *c);
    else
      putchar(*c);
  }
  putchar('"');
}

static void put_pair(const char *key, const char *value) {
  put_text(key);
  putchar(':');
  put_text(value);
}

static void put_link(const char *path) {
  char target[4096];
  ssize_t length = readlink(path, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = 0;
  put_text(target);
}

/* Only descriptors that were open before this program opened any. */
static void report_fds(void) {
  printf("\"fds\":{");
  const char *separator = "";
  for (int fd = 0; fd < 1024; fd++) {
    char path[64];
    if (fcntl(fd, F_GETFD) < 0)
      continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    printf("%s\"%d\":", separator, fd);
    put_link(path);
    separator = ",";
  }
  printf("},");
}

static void report_terminal(void) {
  struct winsize size = {0};
  struct termios mode = {0};
  int is_terminal = isatty(0);
  ioctl(0, TIOCGWINSZ, &size);
  tcgetattr(0, &mode);
  printf("\"terminal\":");
  put_text(is_terminal ? ttyname(0) ? ttyname(0) : "?" : "");
  printf(",\"size\":[%d,%d],\"onlcr\":%s,", size.ws_row, size.ws_col,
         mode.c_oflag & ONLCR ? "true" : "false");
  printf("\"pid\":%d,\"parent\":%d,\"group\":%d,\"session\":%d,\"foreground\":%d,", getpid(),
         getppid(), getpgrp(), getsid(0), tcgetpgrp(0));
}

static void report_environment(void) {
  printf("\"env\":[");
  for (char **entry = environ; *entry; entry++) {
    if (entry != environ)
      putchar(',');
    put_text(*entry);
  }
  printf("],\"cwd\":");
  char path[4096] = "";
  put_text(getcwd(path, sizeof path) ? path : strerror(errno));
  putchar(',');
}

/* The lines `Key:\tvalue` of /proc/self/status. */
static void report_status(void) {
  char line[4096];
  FILE *file = fopen("/proc/self/status", "re");
  printf("\"status\":{");
  const char *separator = "";
  while (file && fgets(line, sizeof line, file)) {
    char *value = strchr(line, '\t');
    if (!value || value == line)
      continue;
    value[-1] = 0;
    value[strcspn(value, "\n")] = 0;
    printf("%s", separator);
    put_pair(line, value + 1);
    separator = ",";
  }
  if (file)
    fclose(file);
  printf("},");
}

static void report_limits(void) {
  static const char *const names[] = {
      "CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
      "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
  printf("\"limits\":{");
  for (size_t i = 0; i < COUNT(names); i++) {
    struct rlimit limit = {0};
    getrlimit((int)i, &limit);
    printf("%s\"RLIMIT_%s\":[%lld,%lld]", i ? "," : "", names[i], (long long)limit.rlim_cur,
           (long long)limit.rlim_max);
  }
  printf("},");
}

static void report_file(const char *key, const char *path) {
  char text[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0)
    close(fd);
  text[length < 0 ? 0 : length] = 0;
  put_pair(key, text);
  putchar(',');
}

/* What execve(2) leaves as it is, beside what has a place of its own; ends in ','. */
static void report_kept(void) {
  int subreaper = 0, death = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  prctl(PR_GET_PDEATHSIG, &death);
  printf("\"kept\":{\"slack\":%d,\"huge\":%d,\"securebits\":%d,\"subreaper\":%d,\"death\":%d,",
         prctl(PR_GET_TIMERSLACK), prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), prctl(PR_GET_SECUREBITS),
         subreaper, death);
  printf("\"mce\":%d,\"alarm\":%u,\"nonblocking\":[", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), alarm(0));
  for (int fd = 0; fd < 3; fd++)
    printf("%s%d", fd ? "," : "", fcntl(fd, F_GETFL) & O_NONBLOCK ? 1 : 0);
  printf("],");
  report_file("core", "/proc/self/coredump_filter");
  printf("\"affinity\":%ld},", syscall(SYS_sched_getaffinity, 0, 1024, (char[1024]){0}));
}

/* What a program has of its caller, or in its place: session keyring, memory policy, login, label. */
static void report_given(void) {
  char keyring[4096] = "";
  int policy = -1;
  struct sched_param priority = {0};
  long serial = syscall(SYS_keyctl, 0, -3, 0);
  if (serial > 0)
    syscall(SYS_keyctl, 6, serial, keyring, sizeof keyring - 1);
  syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0);
  syscall(SYS_sched_getparam, 0, &priority);
  printf("\"given\":{\"serial\":%ld,", serial);
  put_pair("keyring", keyring);
  printf(",\"memoryPolicy\":%d,\"priority\":%d,", policy, priority.sched_priority);
  report_file("loginUid", "/proc/self/loginuid");
  report_file("label", "/proc/self/attr/current");
  printf("\"dumpable\":%d},", prctl(PR_GET_DUMPABLE));
}

static void report_namespaces(void) {
  static const char *const names[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};
  printf("\"namespaces\":{");
  for (size_t i = 0; i < COUNT(names); i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
    printf("%s\"%s\":", i ? "," : "", names[i]);
    put_link(path);
  }
  printf("}");
}

static int report(void) {
  putchar('{');
  report_fds();
  report_terminal();
  report_environment();
  report_status();
  report_limits();
  report_file("cgroups", "/proc/self/cgroup");
  report_file("oomScoreAdj", "/proc/self/oom_score_adj");
  long priority = syscall(SYS_ioprio_get, 1, 0);
  printf("\"policy\":%ld,\"nice\":%d,\"ioprio\":[%ld,%ld],\"personality\":%d,",
         syscall(SYS_sched_getscheduler, 0), getpriority(PRIO_PROCESS, 0), priority >> 13,
         priority & 0x1fff, personality(0xffffffff));
  report_kept();
  report_given();
  report_namespaces();
  puts("}");
  return 0;
}

/* Lines of 64 bytes, so that a terminal has lines to work on. */
static int print(long size) {
  uint32_t sum = 0;
  for (long i = 0; i < size; i++) {
    int c = i % 64 == 63 ? '\n' : 'a' + (int)((i / 64 + i) % 26);
    sum = sum * 31 + (uint32_t)c;
    if (putchar(c) == EOF)
      return 1;
  }
  fflush(stdout);
  fprintf(stderr, "%u", sum);
  return 0;
}

static int wait_signals(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  puts("ready");
  for (;;) {
    fflush(stdout);
    int number = sigwaitinfo(&all, NULL);
    if (number > 0)
      printf("%d\n", number);
    if (number == SIGTERM)
      return 0;
  }
}

static int show_sizes(void) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGWINCH);
  sigaddset(&wanted, SIGTERM);
  sigprocmask(SIG_BLOCK, &wanted, NULL);
  for (;;) {
    struct winsize size = {0};
    ioctl(0, TIOCGWINSZ, &size);
    printf("%d %d\n", size.ws_row, size.ws_col);
    fflush(stdout);
    if (sigwaitinfo(&wanted, NULL) == SIGTERM)
      return 0;
  }
}

static int make_orphans(int count) {
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < count; i++)
      if (fork() == 0)
        _exit(0);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  puts("orphans made");
  fflush(stdout);
  return pause();
}

static int notify(const char *text, int with_barrier) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!path || strlen(path) >= sizeof address.sun_path)
    return 2;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
    return 3;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return 4;
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                          .cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), &ends[1], sizeof(int));
  struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (with_barrier) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control.bytes;
  }
  if (sendmsg(fd, &message, 0) < 0)
    return 5;
  close(ends[1]);
  char byte;
  if (with_barrier)
    puts(read(ends[0], &byte, 1) == 0 ? "barrier passed" : "no barrier");
  return 0;
}

int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  const char *argument = argc > 2 ? argv[2] : "0";
  if (!strcmp(verb, "report"))
    return report();
  if (!strcmp(verb, "print"))
    return print(atol(argument));
  if (!strcmp(verb, "exit"))
    return atoi(argument);
  if (!strcmp(verb, "signals"))
    return wait_signals();
  if (!strcmp(verb, "sizes"))
    return show_sizes();
  if (!strcmp(verb, "orphans"))
    return make_orphans(atoi(argument));
  if (!strcmp(verb, "notify"))
    return notify(argument, argc > 3 && !strcmp(argv[3], "barrier"));
  fprintf(stderr, "unknown command\n");
  return 100;
}
