/*
 * Becomes a caller of another kind, then executes a program:
 *
 *   caller KIND NOTE CGROUPS PROGRAM ARGUMENT…
 *
 * Of kind 0 it is as it was; of the others everything that a program passes on is another one. It enters
 * CGROUPS, directories with spaces between them. Its pid, process group, session and session keyring go
 * into the file NOTE.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* linux/keyctl.h, linux/ioprio.h, linux/mempolicy.h, linux/securebits.h */
#define GET_KEYRING_ID 0
#define JOIN_SESSION_KEYRING 1
#define SESSION_KEYRING (-3)
#define IOPRIO_OF_PROCESS 1
#define IOPRIO_BEST_EFFORT 2
#define IOPRIO_CLASS_SHIFT 13
#define POLICY_LOCAL 4
#define NO_SETUID_FIXUP 4
/* What is open beside the streams, and stays so. */
#define FURTHER_DESCRIPTOR 9

/* All of it, so that the kinds differ in each. */
struct kind {
  mode_t umask;
  rlim_t files[2], core[2], stack[2];
  int nice, io_priority, policy, cpu, memory_policy, blocked, ignored;
  int slack, no_huge_pages, securebits;
  unsigned long personality;
  const char *oom_score, *core_filter, *keyring, *login_uid;
};

static const struct kind kinds[] = {
    {
        .umask = 0027,
        .files = {777, 15000},
        .core = {4096, 8192},
        .stack = {1 << 22, 1 << 24},
        .nice = 3,
        .io_priority = 7,
        .policy = SCHED_BATCH,
        .cpu = 0,
        .memory_policy = POLICY_LOCAL,
        .blocked = SIGUSR2,
        .ignored = SIGHUP,
        .slack = 70000,
        .no_huge_pages = 1,
        .securebits = NO_SETUID_FIXUP,
        .personality = ADDR_NO_RANDOMIZE,
        .oom_score = "300",
        .core_filter = "0x11",
        .keyring = "runts-test-1",
        .login_uid = "4711",
    },
    {
        .umask = 0002,
        .files = {1111, 20000},
        .core = {0, 0},
        .stack = {6 << 20, 1 << 25},
        .nice = 1,
        .io_priority = 2,
        .policy = SCHED_BATCH | SCHED_RESET_ON_FORK,
        .cpu = 1,
        .blocked = 40,
        .ignored = SIGQUIT,
        .slack = 60000,
        .personality = 0,
        .oom_score = "100",
        .core_filter = "0x01",
        .keyring = "runts-test-2",
        .login_uid = "4712",
    },
};

static void die(const char *what) {
  fprintf(stderr, "caller: %s: %s\n", what, strerror(errno));
  exit(126);
}

static void check(const char *what, long result) {
  if (result < 0)
    die(what);
}

static void put(const char *path, const char *text) {
  FILE *file = fopen(path, "we");
  if (!file || fputs(text, file) < 0 || fclose(file) != 0)
    die(path);
}

static void limit(int number, const rlim_t *values) {
  struct rlimit limit = {values[0], values[1]};
  check("setrlimit", setrlimit(number, &limit));
}

static void become(const struct kind *kind) {
  struct sched_param priority = {0};
  cpu_set_t cpus;
  sigset_t blocked;
  umask(kind->umask);
  limit(RLIMIT_NOFILE, kind->files);
  limit(RLIMIT_CORE, kind->core);
  limit(RLIMIT_STACK, kind->stack);
  check("sched_setscheduler", syscall(SYS_sched_setscheduler, 0, kind->policy, &priority));
  check("setpriority", setpriority(PRIO_PROCESS, 0, kind->nice));
  check("ioprio_set", syscall(SYS_ioprio_set, IOPRIO_OF_PROCESS, 0,
                              IOPRIO_BEST_EFFORT << IOPRIO_CLASS_SHIFT | kind->io_priority));
  CPU_ZERO(&cpus);
  CPU_SET((size_t)(kind->cpu % sysconf(_SC_NPROCESSORS_ONLN)), &cpus);
  check("sched_setaffinity", sched_setaffinity(0, sizeof cpus, &cpus));
  /* A kernel without NUMA has no policies. */
  if (syscall(SYS_set_mempolicy, kind->memory_policy, NULL, 0) < 0 && errno != ENOSYS)
    die("set_mempolicy");
  check("prctl", prctl(PR_SET_TIMERSLACK, kind->slack));
  check("prctl", prctl(PR_SET_THP_DISABLE, kind->no_huge_pages, 0, 0, 0));
  check("prctl", prctl(PR_SET_SECUREBITS, kind->securebits));
  check("personality", personality(kind->personality));
  check("keyctl", syscall(SYS_keyctl, JOIN_SESSION_KEYRING, kind->keyring));
  put("/proc/self/oom_score_adj", kind->oom_score);
  put("/proc/self/coredump_filter", kind->core_filter);
  if (access("/proc/self/loginuid", W_OK) == 0)
    put("/proc/self/loginuid", kind->login_uid);
  sigemptyset(&blocked);
  sigaddset(&blocked, kind->blocked);
  check("sigprocmask", sigprocmask(SIG_SETMASK, &blocked, NULL));
  if (signal(kind->ignored, SIG_IGN) == SIG_ERR)
    die("signal");
  check("dup2", dup2(STDIN_FILENO, FURTHER_DESCRIPTOR));
}

static void note(const char *path) {
  FILE *file = fopen(path, "we");
  if (!file)
    die(path);
  fprintf(file, "{\"pid\":%d,\"group\":%d,\"session\":%d,\"keyring\":%ld}", getpid(), getpgrp(),
          getsid(0), syscall(SYS_keyctl, GET_KEYRING_ID, SESSION_KEYRING, 0));
  if (fclose(file) != 0)
    die(path);
}

static void enter(char *groups) {
  for (char *group = strtok(groups, " "); group; group = strtok(NULL, " ")) {
    char path[4096];
    snprintf(path, sizeof path, "%s/cgroup.procs", group);
    put(path, "0");
  }
}

int main(int argc, char **argv) {
  unsigned kind = argc < 2 ? 0 : (unsigned)atoi(argv[1]);
  if (argc < 5 || kind > COUNT(kinds))
    return 125;
  enter(argv[3]);
  if (kind > 0)
    become(&kinds[kind - 1]);
  note(argv[2]);
  execv(argv[4], argv + 4);
  die(argv[4]);
}
