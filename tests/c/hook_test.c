/*
 * Running hooks: what they are given, how their end is told, and that nothing they do holds us up.
 * links: c/common/hook.c c/common/close.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include "../../c/common/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../c/common/retry.h"
#include "../support/c/filter.h"
#include "../support/c/test.h"

#define NS_PER_MS UINT64_C(1000000)

static const char *const path_only[] = {"PATH=/usr/bin:/bin", NULL};
static struct hook_result result;
static char output[1 << 17];

/* Runs `sh -c script`, with our standard output and error going to files; reads both. */
static int run_script(const char *script, const char *input, uint32_t timeout,
                      const char *const *env) {
  const char *const args[] = {"sh", "-c", script, "name", NULL};
  struct hook hook = {
      .path = "/bin/sh",
      .args = args,
      .env = env,
      .input = input,
      .input_length = strlen(input),
      .timeout = timeout,
  };
  fflush(NULL);
  int saved[2] = {fcntl(1, F_DUPFD_CLOEXEC, 10), fcntl(2, F_DUPFD_CLOEXEC, 10)};
  FILE *to = tmpfile();
  NEED(to && saved[0] > 0 && saved[1] > 0);
  dup2(fileno(to), 1);
  dup2(fileno(to), 2);
  int error = hook_run(&hook, &result);
  dup2(saved[0], 1);
  dup2(saved[1], 2);
  close(saved[0]);
  close(saved[1]);
  rewind(to);
  output[fread(output, 1, sizeof output - 1, to)] = '\0';
  fclose(to);
  return error;
}

static bool ended_with(int status) {
  return result.error == 0 && result.status == status && result.signal == 0 && !result.timed_out;
}

static void gives_the_state_and_shows_the_output(void) {
  CHECK_NUMBER(run_script("cat; cat /dev/stdin", "{\"id\":1}", 0, path_only), 0);
  CHECK(ended_with(0));
  CHECK_TEXT(output, "{\"id\":1}{\"id\":1}");
  CHECK_NUMBER(run_script("echo err >&2", "", 0, path_only), 0);
  CHECK_TEXT(output, "err\n");
  CHECK_NUMBER(result.stderr_length, 4);
  CHECK(memcmp(result.stderr_tail, "err\n", 4) == 0);
  CHECK(result.duration_ns > 0);
}

/* Ours is not touched. */
static void standard_output_goes_where_errors_go(void) {
  const char *const args[] = {"sh", "-c", "echo one; echo two >&2; echo three", NULL};
  FILE *ours = tmpfile(), *errors = tmpfile();
  int saved = fcntl(1, F_DUPFD_CLOEXEC, 10);
  NEED(ours && errors && saved > 0);
  struct hook hook = {.path = "/bin/sh", .args = args, .env = path_only, .input = ""};
  hook.errors = fileno(errors);
  fflush(NULL);
  dup2(fileno(ours), 1);
  int error = hook_run(&hook, &result);
  dup2(saved, 1);
  close(saved);
  CHECK_NUMBER(error, 0);
  CHECK_NUMBER(result.stderr_length, 0);
  CHECK_NUMBER(lseek(fileno(ours), 0, SEEK_END), 0);
  rewind(errors);
  output[fread(output, 1, sizeof output - 1, errors)] = '\0';
  CHECK_TEXT(output, "one\ntwo\nthree\n");
  fclose(ours);
  fclose(errors);
  CHECK_NUMBER(run_script("echo one; echo two >&2; exit 1", "", 0, path_only), 0);
  CHECK_NUMBER(result.stderr_length, 8);
  CHECK(memcmp(result.stderr_tail, "one\ntwo\n", 8) == 0);
}

static void gives_exactly_the_environment(void) {
  static const char *const env[] = {"A=1", "A=2", "B", NULL};
  const char *const args[] = {"zero", "-0", NULL};
  int ends[2];
  NEED(pipe2(ends, O_CLOEXEC) == 0);
  struct hook hook = {
      .path = "/usr/bin/env", .args = args, .env = env, .input = "", .output = ends[1]};
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  close(ends[1]);
  char text[64] = "";
  CHECK(read(ends[0], text, sizeof text - 1) > 0);
  close(ends[0]);
  CHECK(memcmp(text, "A=1", 3) == 0 && memcmp(text + 4, "A=2", 3) == 0);
}

static void tells_exit_status_and_signal(void) {
  CHECK_NUMBER(run_script("exit 3", "", 0, path_only), 0);
  CHECK(ended_with(3));
  CHECK_NUMBER(run_script("kill -SEGV $$", "", 0, path_only), 0);
  CHECK_NUMBER(result.signal, SIGSEGV);
  CHECK_NUMBER(result.status, -1);
  CHECK_NUMBER(result.timed_out, 0);
}

static void tells_why_it_cannot_be_executed(void) {
  struct hook hook = {.path = "/nonexistent/hook", .env = path_only, .input = ""};
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  CHECK_NUMBER(result.error, ENOENT);
  CHECK_NUMBER(result.status, -1);
  hook.path = "/etc/passwd";
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  CHECK_NUMBER(result.error, EACCES);
}

static void tells_that_it_cannot_be_waited_for(void) {
  signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
  CHECK_NUMBER(run_script("exit 0", "", 0, path_only), 0);
  signal(SIGCHLD, SIG_DFL);
  CHECK_NUMBER(result.error, ECHILD);
  CHECK_NUMBER(result.status, -1);
}

static void without_arguments_argv_is_the_path(void) {
  const char *const none[] = {NULL};
  struct hook hook = {.path = "/bin/true", .args = none, .env = path_only, .input = ""};
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  CHECK(ended_with(0));
  hook.args = NULL;
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  CHECK(ended_with(0));
}

static void passes_arguments_and_directory(void) {
  static const char script[] = "test \"$0 $1\" = 'a b' && test \"$(pwd)\" = /usr";
  const char *const args[] = {"sh", "-c", script, "a", "b", NULL};
  struct hook hook = {
      .path = "/bin/sh", .args = args, .env = path_only, .directory = "/usr", .input = ""};
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  CHECK(ended_with(0));
}

static void a_directory_that_is_gone_is_the_root(void) {
  const char *const args[] = {"sh", "-c", "test \"$(pwd)\" = /", NULL};
  struct hook hook = {
      .path = "/bin/sh", .args = args, .env = path_only, .directory = "/nonexistent", .input = ""};
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  CHECK(ended_with(0));
}

static bool process_exists(pid_t pid) {
  return kill(pid, 0) == 0 || errno != ESRCH;
}

static void kills_the_whole_group_when_time_is_up(void) {
  CHECK_NUMBER(run_script("sleep 100 & echo $! >&2; sleep 100", "", 2, path_only), 0);
  CHECK_NUMBER(result.timed_out, 1);
  CHECK_NUMBER(result.signal, SIGKILL);
  CHECK(result.duration_ns >= 2000 * NS_PER_MS && result.duration_ns < 20000 * NS_PER_MS);
  pid_t child = atoi(output);
  CHECK(child > 0);
  for (int i = 0; i < 500 && process_exists(child); i++)
    usleep(10000);
  /* Without a reaper it stays as a zombie: then it is dead as well. */
  char path[64], text[256] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", child);
  FILE *stat = fopen(path, "re");
  if (!stat)
    return;
  CHECK(fread(text, 1, sizeof text - 1, stat) > 0);
  CHECK(strstr(text, ") Z ") || strstr(text, ") X "));
  fclose(stat);
}

static void output_without_end_is_cut_off_in_time(void) {
  CHECK_NUMBER(run_script("while :; do echo xxxxxxxxxxxxxxx; done >&2", "", 1, path_only), 0);
  CHECK_NUMBER(result.timed_out, 1);
  CHECK(result.duration_ns < 20000 * NS_PER_MS);
  CHECK_NUMBER(result.stderr_length, HOOK_STDERR_MAX);
}

/* Whether a hook that writes as fast as it can is ended in time, with this as our standard error. */
static bool is_cut_off(int errors) {
  const char *const args[] = {"sh", "-c", "exec yes >&2", NULL};
  struct hook hook = {.path = "/bin/sh", .args = args, .env = path_only, .input = "", .timeout = 1};
  fflush(NULL);
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    alarm(60); /* ends what is held up */
    dup2(errors, 2);
    int error = hook_run(&hook, &result);
    _exit(error == 0 && result.timed_out == 1 ? 0 : 1);
  }
  int status;
  NEED(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void output_without_a_pause_is_cut_off_in_time(void) {
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  NEED(null >= 0);
  CHECK(is_cut_off(null));
  close(null);
}

static void output_that_nobody_takes_is_cut_off_in_time(void) {
  int ends[2];
  NEED(pipe2(ends, O_CLOEXEC) == 0);
  CHECK(is_cut_off(ends[1]));
  close(ends[0]);
  close(ends[1]);
}

static void input_that_is_not_read_does_not_matter(void) {
  size_t length = 1 << 20;
  char *input = malloc(length + 1);
  NEED(input);
  memset(input, 'x', length);
  input[length] = '\0';
  CHECK_NUMBER(run_script("exec 0</dev/null; exit 0", input, 0, path_only), 0);
  CHECK(ended_with(0));
  CHECK_NUMBER(run_script("test $(wc -c) = 1048576", input, 0, path_only), 0);
  CHECK(ended_with(0));
  free(input);
}

static void keeps_the_last_of_standard_error(void) {
  static const char script[] =
      "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1";
  CHECK_NUMBER(run_script(script, "", 0, path_only), 0);
  CHECK(ended_with(1));
  CHECK_NUMBER(result.stderr_length, HOOK_STDERR_MAX);
  CHECK(memcmp(result.stderr_tail + HOOK_STDERR_MAX - 10, "line 2999\n", 10) == 0);
  CHECK(strncmp(output, "line 0\nline 1\n", 14) == 0);
  CHECK(strstr(output, "line 1500\n") != NULL);
}

static void a_process_left_behind_does_not_hold_us_up(void) {
  CHECK_NUMBER(run_script("sleep 100 & echo $! >&2; exit 0", "", 0, path_only), 0);
  CHECK(ended_with(0));
  CHECK(result.duration_ns < 50000 * NS_PER_MS);
  pid_t left = atoi(output);
  CHECK(left > 0 && kill(left, SIGKILL) == 0);
}

static void inherits_no_descriptor_and_no_signal_setting(void) {
  int extra = open("/dev/null", O_RDONLY); /* not close-on-exec */
  NEED(extra >= 3);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  sigset_t block;
  sigemptyset(&block);
  sigaddset(&block, SIGTERM);
  sigprocmask(SIG_BLOCK, &block, NULL);
  static const char script[] =
      "ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign)' /proc/self/status";
  CHECK_NUMBER(run_script(script, "", 0, path_only), 0);
  CHECK_TEXT(output, "0 1 2 3 SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  sigprocmask(SIG_UNBLOCK, &block, NULL);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  close(extra);
}

static void a_closed_standard_error_ends_nobody(void) {
  int ends[2], saved = fcntl(2, F_DUPFD_CLOEXEC, 10);
  NEED(saved > 0 && pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[1], 2) == 2);
  close(ends[0]);
  close(ends[1]);
  const char *const args[] = {"sh", "-c", "echo unheard >&2", NULL};
  struct hook hook = {.path = "/bin/sh", .args = args, .env = path_only, .input = ""};
  int error = hook_run(&hook, &result);
  sigset_t pending;
  sigpending(&pending);
  dup2(saved, 2);
  close(saved);
  CHECK_NUMBER(error, 0);
  CHECK(ended_with(0));
  CHECK_NUMBER(result.stderr_length, 8);
  CHECK(!sigismember(&pending, SIGPIPE));
}

/* In a child whose descriptors 0 to 2 are closed, where the hook's own would take their place. */
static void works_without_standard_streams(void) {
  fflush(NULL);
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    for (int fd = 0; fd <= 2; fd++)
      close(fd);
    const char *const args[] = {"sh", "-c", "test \"$(cat)\" = state && echo text >&2", NULL};
    struct hook hook = {
        .path = "/bin/sh", .args = args, .env = path_only, .input = "state", .input_length = 5};
    int error = hook_run(&hook, &result);
    _exit(error == 0 && ended_with(0) && result.stderr_length == 5 ? 0 : 1);
  }
  int status;
  NEED(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int count_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void leaves_no_descriptor_and_no_child(void) {
  int before = count_descriptors();
  for (int i = 0; i < 20; i++)
    CHECK_NUMBER(run_script("echo x >&2", "", 5, path_only), 0);
  CHECK_NUMBER(count_descriptors(), before);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void has_limits_of_its_own(void) {
  const struct hook_limit limits[] = {{RLIMIT_NOFILE, {20, 50}}, {RLIMIT_FSIZE, {0, 0}}};
  const char *const args[] = {"sh", "-c", "test $(ulimit -n)$(ulimit -Hn)$(ulimit -f) = 20500",
                              NULL};
  struct hook hook = {.path = "/bin/sh", .args = args, .env = path_only, .input = "state"};
  struct rlimit before, after;
  hook.input_length = 5;
  hook.limits = limits;
  hook.limit_count = 2;
  NEED(getrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  CHECK(ended_with(0));
  NEED(getrlimit(RLIMIT_NOFILE, &after) == 0);
  CHECK(before.rlim_cur == after.rlim_cur && before.rlim_max == after.rlim_max);
  hook.limits = (const struct hook_limit[]){{99, {1, 1}}};
  hook.limit_count = 1;
  CHECK_NUMBER(hook_run(&hook, &result), 0);
  CHECK_NUMBER(result.error, EINVAL);
}

static void run_nothing(void) {
  CHECK_NUMBER(run_script("exit 0", "", 0, path_only), -ENOSYS);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void says_what_it_lacks(void) {
  static const long calls[] = {
      SYS_memfd_create,
      SYS_pipe2,
      SYS_pidfd_open,
#ifdef SYS_poll
      SYS_poll,
#else
      SYS_ppoll,
#endif
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    without_call(calls[i], run_nothing);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(gives_the_state_and_shows_the_output),
      TEST(standard_output_goes_where_errors_go),
      TEST(gives_exactly_the_environment),
      TEST(tells_exit_status_and_signal),
      TEST(tells_why_it_cannot_be_executed),
      TEST(tells_that_it_cannot_be_waited_for),
      TEST(without_arguments_argv_is_the_path),
      TEST(passes_arguments_and_directory),
      TEST(a_directory_that_is_gone_is_the_root),
      TEST(kills_the_whole_group_when_time_is_up),
      TEST(output_without_end_is_cut_off_in_time),
      TEST(output_without_a_pause_is_cut_off_in_time),
      TEST(output_that_nobody_takes_is_cut_off_in_time),
      TEST(input_that_is_not_read_does_not_matter),
      TEST(keeps_the_last_of_standard_error),
      TEST(a_process_left_behind_does_not_hold_us_up),
      TEST(inherits_no_descriptor_and_no_signal_setting),
      TEST(a_closed_standard_error_ends_nobody),
      TEST(works_without_standard_streams),
      TEST(leaves_no_descriptor_and_no_child),
      TEST(has_limits_of_its_own),
      TEST(says_what_it_lacks),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
