/*
 * Start-up, and when the monitor ends.
 *
 * argv: "runts-monitor" LISTENING CONNECTION IDLE_MS TITLE. Descriptors of the listening socket and of
 * the first connection (-1: none); how long it stays when nothing is left to hold; what `ps` shows.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../common/signals.h"
#include "monitor.h"

#define NS_PER_MS 1000000u
/* How long memory that was used stays ours when nothing happens. */
#define REST_NS (500 * (uint64_t)NS_PER_MS)
/* How long it stays for logs that have no room, when nothing else is left. */
#define LINGER_NS (1000 * (uint64_t)NS_PER_MS)
#define FOREVER UINT64_MAX

enum { ARG_LISTENING = 1, ARG_CONNECTION, ARG_IDLE, ARG_TITLE, ARG_COUNT };

/* For the descriptors of plans; init and the command get the limit as it was. */
static void raise_files(void) {
  if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, the_monitor.files) != 0)
    return;
  const uint64_t raised[2] = {the_monitor.files[1], the_monitor.files[1]};
  syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, raised, NULL);
}

/* A hang-up or a key is for others; a program that does not read its input is no matter. */
static void ignore_signals(void) {
  static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE};
  signals_reset();
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
    signal(ignored[i], SIG_IGN);
}

static bool is_needed(void) {
  return is_shim() || connection_count() > 0 || wake_due() > 0 || has_children() ||
         processes_exist();
}

/* How long it stays from now on when nothing else happens. */
static uint64_t stay(uint64_t idle_ns) {
  if (the_monitor.leaving && !has_children())
    return logs_wait() ? LINGER_NS : 0;
  return is_needed() ? FOREVER : idle_ns;
}

static uint64_t sooner(uint64_t one, uint64_t other) {
  return one == 0 || (other > 0 && other < one) ? other : one;
}

static void rest(void) {
  processes_rest();
  log_rest();
  rest_memory(scratch, sizeof scratch);
}

static void run(uint64_t idle_ns) {
  uint64_t since = 0; /* nothing has been left to do since then */
  bool rested = true;
  for (;;) {
    uint64_t most = stay(idle_ns), now = now_ns();
    since = most == FOREVER ? 0 : since > 0 ? since : now;
    if (since > 0 && now - since >= most)
      return;
    uint64_t end = since > 0 ? since + most : 0;
    uint64_t due = sooner(wake_due(), link_due());
    rested = !loop_turn(sooner(sooner(due, end), rested ? 0 : now + REST_NS));
    if (rested)
      rest();
  }
}

int main(int argc, char **argv) {
  if (argc != ARG_COUNT)
    return 1;
  int listening = atoi(argv[ARG_LISTENING]), connection = atoi(argv[ARG_CONNECTION]);
  fcntl(listening, F_SETFD, FD_CLOEXEC);
  fcntl(connection, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_NAME, "runts-monitor", 0, 0, 0);
  ignore_signals();
  umask(0);
  raise_files();
  if (chdir("/") != 0 || reap_start() != 0 || (listening >= 0 && listen_on(listening) != 0))
    return 1;
  if (connection >= 0)
    connection_take(connection, NULL);
  run((uint64_t)strtoul(argv[ARG_IDLE], NULL, 10) * NS_PER_MS);
  processes_flush();
  shim_end();
  return 0;
}
